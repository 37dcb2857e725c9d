package main

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
)

const dicomRoot = "1.2.840.10008."

// kinds are the UID kinds in the order of the constants of package uid.
var kinds = []string{"SOP Class", "Meta SOP Class", "Service Class", "Transfer Syntax",
	"Well-known SOP Instance", "Well-known frame of reference", "Synchronization Frame of Reference",
	"Application Context Name", "Application Hosting Model", "Coding Scheme",
	"DICOM UIDs as a Coding Scheme", "Mapping Resource", "Context Group Name", "LDAP OID"}

// flags of the info array beside the kind, as package uid reads them.
const (
	flagRetired = 0x80
	flagStorage = 0x40
)

// uidFile writes the UID constants and the table behind uid.Lookup.
func uidFile() ([]byte, error) {
	rows, err := uids()
	if err != nil {
		return nil, err
	}
	f := newFile("uid")
	if err := uidConstants(f, rows); err != nil {
		return nil, err
	}
	if err := uidTable(f, rows); err != nil {
		return nil, err
	}
	return f.source()
}

func uidConstants(f *file, rows []uidRow) error {
	f.printf("// The unique identifiers of PS3.6 annex A by keyword; a keyword that begins with a\n")
	f.printf("// lower case letter has it in upper case here.\nconst (\n")
	for _, u := range rows {
		if u.keyword == "" {
			continue
		}
		name := strings.ToUpper(u.keyword[:1]) + u.keyword[1:]
		if !token.IsIdentifier(name) {
			return fmt.Errorf("%s: keyword %q is no Go name", u.uid, u.keyword)
		}
		f.printf("\t%s UID = %q // %s: %s%s\n", name, u.uid, u.kind, u.name, retiredNote(u.retired))
	}
	f.printf(")\n\n")
	return nil
}

func retiredNote(retired bool) string {
	if retired {
		return " (retired)"
	}
	return ""
}

func uidTable(f *file, rows []uidRow) error {
	var suffixes, keywords, names []string
	var infos, order []int
	for i, u := range rows {
		suffix, ok := strings.CutPrefix(u.uid, dicomRoot)
		kind := slices.Index(kinds, u.kind)
		if !ok || kind < 0 {
			return fmt.Errorf("%s: not a DICOM UID or kind %q unknown", u.uid, u.kind)
		}
		suffixes = append(suffixes, suffix)
		keywords = append(keywords, u.keyword)
		names = append(names, u.name)
		infos = append(infos, kind+1|u.flags())
		order = append(order, i)
	}
	sortBy(order, func(i int) string { return keywords[i] })
	blob(f, "suffix", "holds what follows the DICOM root in each UID, in order.", suffixes)
	blob(f, "keyword", "holds the keywords in the order of the UIDs.", keywords)
	blob(f, "name", "holds the names in the order of the UIDs.", names)
	array(f, "infos", "uint8", "holds kind and flags in the order of the UIDs.", infos)
	array(f, "byKeyword", "uint16", "holds the positions of the UIDs in the order of their keywords.", order)
	return nil
}

func (u uidRow) flags() int {
	flags := 0
	if u.retired {
		flags |= flagRetired
	}
	if u.storage() {
		flags |= flagStorage
	}
	return flags
}

// storage reports whether u is a composite Storage SOP Class (PS3.4 B.5 and the retired
// ones of earlier editions), which C-STORE transfers.
func (u uidRow) storage() bool {
	return u.kind == "SOP Class" && strings.Contains(u.name, "Storage") &&
		!strings.HasPrefix(u.name, "Storage Commitment") && u.keyword != "MediaStorageDirectoryStorage"
}
