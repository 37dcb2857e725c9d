package verb

import (
	"slices"
	"strings"

	"gantry/dicom/uid"
	"gantry/dimse"
)

// negotiated says what an association was asked for and what came of it.
func (c *Common) negotiated(s *Stdio, a *dimse.Assoc, contexts []dimse.Context) {
	if c.Say < Debug {
		return
	}
	p := a.Peer()
	c.says(s, Debug, "Peer: implementation %s %s", p.Implementation, p.Version)
	var done []uid.UID
	for _, context := range contexts {
		if slices.Contains(done, context.Class) {
			continue
		}
		done = append(done, context.Class)
		var names []string
		for _, u := range a.Accepted(context.Class) {
			names = append(names, u.Name())
		}
		if len(names) == 0 {
			names = []string{"not accepted"}
		}
		c.says(s, Debug, "%s: %s", context.Class.Name(), strings.Join(names, ", "))
	}
}
