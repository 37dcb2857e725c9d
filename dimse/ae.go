package dimse

import (
	"fmt"
	"strings"
)

// AETitle is an application entity title without padding (PS3.5 6.2, VR AE).
type AETitle string

// Check returns an error unless a is 1 to 16 characters of the default repertoire without
// backslash and control characters, not all of them spaces.
func (a AETitle) Check() error {
	switch {
	case strings.TrimSpace(string(a)) == "":
		return fmt.Errorf("dimse: empty AE title")
	case len(a) > 16:
		return fmt.Errorf("dimse: AE title %q is longer than 16 characters", string(a))
	}
	for i := range len(a) {
		if a[i] < 0x20 || a[i] > 0x7E || a[i] == '\\' {
			return fmt.Errorf("dimse: AE title %q has the character %02XH", string(a), a[i])
		}
	}
	return nil
}
