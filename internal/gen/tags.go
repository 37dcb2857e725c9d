package main

import "strings"

// tagFile writes the tag constants.
func tagFile() ([]byte, error) {
	rows, err := elements()
	if err != nil {
		return nil, err
	}
	f := newFile("tag")
	f.printf("// The data elements of the standard (PS3.6 chapters 6 to 9, PS3.7 annex E, PS3.10 7.1)\n")
	f.printf("// by keyword, with VR, VM and name. An x in a tag is a digit that varies; the constant\n")
	f.printf("// is the first tag of such a range that no other element has.\nconst (\n")
	for _, e := range rows {
		if e.keyword == "" {
			continue
		}
		f.printf("\t%s Tag = 0x%08X // %s\n", e.keyword, e.home, e.comment())
	}
	f.printf(")\n")
	return f.source()
}

func (e element) comment() string {
	parts := []string{e.label(), e.vr, e.vm, e.name}
	if e.vr == "NONE" {
		parts = []string{e.label(), e.name}
	}
	if e.retired {
		parts = append(parts, "(retired)")
	}
	return strings.Join(parts, " ")
}
