package retrieve

import (
	"gantry/dicom/uid"
	"gantry/dimse"
)

// kind is what needs a presentation context.
type kind struct{ class, syntax uid.UID }

// contexts returns the presentation contexts for the kinds of queue, as many as fit: each
// kind's own syntax alone, so that the destination's preference cannot hide it; for each
// class each of the preferred ones, the uncompressed ones, and the others, for which an
// object may be transcoded.
func contexts(queue []*dimse.Outgoing, prefer, others []uid.UID) ([]dimse.Context, map[kind]bool) {
	var out []dimse.Context
	proposed := make(map[kind]bool)
	general := make(map[uid.UID]bool)
	for _, o := range queue {
		k := kind{o.Class, o.Syntax}
		if proposed[k] {
			continue
		}
		add := []dimse.Context{{Class: o.Class, Syntaxes: []uid.UID{o.Syntax}}}
		if !general[o.Class] {
			add = append(add, generalContexts(o.Class, prefer, others)...)
		}
		if len(out)+len(add) > maxContexts {
			break
		}
		out = append(out, add...)
		proposed[k], general[o.Class] = true, true
	}
	return out, proposed
}

const maxContexts = 128 // of an association (PS3.8 9.3.2.2)

// generalContexts are those that any object of a class may go over.
func generalContexts(class uid.UID, prefer, others []uid.UID) []dimse.Context {
	var out []dimse.Context
	for _, u := range prefer[:min(len(prefer), maxPreferred)] {
		out = append(out, dimse.Context{Class: class, Syntaxes: []uid.UID{u}})
	}
	out = append(out, dimse.Context{Class: class, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}})
	if len(others) > 0 {
		out = append(out, dimse.Context{Class: class, Syntaxes: others})
	}
	return out
}

const maxPreferred = 32 // of Destination.Prefer that are proposed
