package value

import (
	"strings"
	"unicode/utf8"

	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Validate checks one value of a text VR, decoded and with its padding, against PS3.5
// Table 6.2-1: length, repertoire and form. An empty value is valid. VRs that are not
// text have nothing to check here. The error is an *Error.
func Validate(v vr.VR, s string) error {
	if !v.IsText() {
		return nil
	}
	if !utf8.ValidString(s) {
		return bad(v, "broken characters")
	}
	if err := checkLength(v, s); err != nil {
		return err
	}
	if err := checkRepertoire(v, s); err != nil {
		return err
	}
	return checkForm(v, s)
}

// maxLength returns the most characters of a value; PN is counted by component group.
func maxLength(v vr.VR) int {
	switch v {
	case vr.AS:
		return 4
	case vr.DA:
		return 8
	case vr.IS:
		return 12
	case vr.TM:
		return 14
	case vr.AE, vr.CS, vr.DS, vr.SH:
		return 16
	case vr.DT:
		return 26
	case vr.LO, vr.PN, vr.UI:
		return 64
	case vr.ST:
		return 1024
	case vr.LT:
		return 10240
	}
	return 1<<32 - 2
}

func checkLength(v vr.VR, s string) error {
	most := maxLength(v)
	if len(s) <= most {
		return nil
	}
	groups := []string{s}
	if v == vr.PN {
		groups = strings.Split(s, "=")
	}
	for _, g := range groups {
		if utf8.RuneCountInString(unpad(v, g)) > most {
			return bad(v, "too long")
		}
	}
	return nil
}

// unpad drops the padding that does not count as a part of the value. The lengths of the
// other VRs include theirs.
func unpad(v vr.VR, s string) string {
	switch v {
	case vr.PN, vr.LO, vr.SH, vr.LT, vr.ST, vr.AE, vr.CS:
		return strings.TrimRight(s, " ")
	case vr.UI:
		return strings.TrimSuffix(s, "\x00")
	case vr.DA, vr.TM, vr.DT:
		return strings.TrimSuffix(s, " ")
	}
	return s
}

func checkRepertoire(v vr.VR, s string) error {
	for _, r := range s {
		switch {
		case r == 0 && v == vr.UI:
		case r < ' ' || r >= 0x7F && r < 0xA0:
			if !control(r) || !v.IsSingle() || v == vr.UR {
				return bad(v, "control characters")
			}
		case r == '\\' && !v.IsSingle():
			return bad(v, "a backslash")
		case r > '~' && !v.HasCharset():
			return bad(v, "characters beyond the default repertoire")
		}
	}
	return nil
}

// control reports the control characters of paragraphs (PS3.5 6.1.3).
func control(r rune) bool { return r == '\t' || r == '\n' || r == '\f' || r == '\r' }

// checkForm checks what the VR says of the order of characters.
func checkForm(v vr.VR, s string) error {
	core := unpad(v, s)
	if core == "" {
		if v == vr.AE && s != "" {
			return bad(v, "spaces only")
		}
		return nil
	}
	switch v {
	case vr.AS:
		return checkAS(core)
	case vr.CS:
		if !codeString(core) {
			return bad(v, "characters other than upper case, digits, space and underscore")
		}
	case vr.DA, vr.TM, vr.DT:
		return checkTemporal(v, core)
	case vr.DS:
		_, err := ParseDS(core)
		return err
	case vr.IS:
		n, err := ParseIS(core)
		if err == nil && n != int64(int32(n)) {
			err = bad(v, "beyond 32 bits")
		}
		return err
	case vr.PN:
		_, err := ParsePN(core)
		return err
	case vr.UI:
		if !uid.UID(core).Valid() {
			return bad(v, "not digits and periods as PS3.5 9.1 has them")
		}
	case vr.UR:
		return checkUR(core)
	}
	return nil
}

func codeString(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != ' ' {
			return false
		}
	}
	return true
}

func checkAS(s string) error {
	if _, err := ParseAS(s); err != nil || len(s) != 4 {
		return bad(vr.AS, "not of the form nnnD, nnnW, nnnM or nnnY")
	}
	return nil
}

// checkTemporal refuses what the parsers tolerate: the forms of ACR-NEMA, spaces.
func checkTemporal(v vr.VR, s string) error {
	var err error
	switch v {
	case vr.DA:
		_, err = ParseDA(s)
	case vr.TM:
		_, err = ParseTM(s)
	default:
		_, err = ParseDT(s)
	}
	if err != nil {
		return err
	}
	s = strings.TrimRight(s, " ")
	if strings.ContainsAny(s, ": \x00") || v == vr.DA && len(s) != 8 {
		return bad(v, "a form of before DICOM, or spaces inside")
	}
	return nil
}

// checkUR accepts the characters of RFC 3986 chapter 2.
func checkUR(s string) error {
	s = strings.TrimRight(s, " ")
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7F || strings.IndexByte(`"<>\^`+"`{|}", c) >= 0 {
			return bad(vr.UR, "characters that no URI has")
		}
	}
	return nil
}
