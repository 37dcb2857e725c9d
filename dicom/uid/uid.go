// Package uid names Unique Identifiers (PS3.5 chapter 9, PS3.6 annex A).
package uid

// UID is a unique identifier without padding, such as "1.2.840.10008.1.1".
type UID string

// MaxLength is the most characters a UID has (PS3.5 9.1).
const MaxLength = 64

// Valid reports whether u keeps the rules of PS3.5 9.1: 1 to 64 characters, components
// of digits separated by periods, none empty, none with a leading zero.
func (u UID) Valid() bool {
	if len(u) == 0 || len(u) > MaxLength {
		return false
	}
	start := 0
	for i := 0; i <= len(u); i++ {
		if i < len(u) && u[i] != '.' {
			if u[i] < '0' || u[i] > '9' {
				return false
			}
			continue
		}
		if i == start || (u[start] == '0' && i-start > 1) {
			return false
		}
		start = i + 1
	}
	return true
}

// Parse drops the padding that values carry on the wire (a trailing zero byte, and the
// spaces that some writers use in its place).
func Parse(b []byte) UID {
	for len(b) > 0 && (b[len(b)-1] == 0 || b[len(b)-1] == ' ') {
		b = b[:len(b)-1]
	}
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return UID(b)
}
