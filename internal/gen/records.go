package main

import (
	"fmt"
	"strconv"
)

// recordFile writes the directory record of each SOP Class and the keys of each record
// (PS3.3 F.5), as functions: a map would be made at every start of every program.
func recordFile() ([]byte, error) {
	f := newFile("dicomdir")
	f.printf("import \"gantry/dicom/uid\"\n\n")
	if err := recordClasses(f); err != nil {
		return nil, err
	}
	if err := recordKeys(f); err != nil {
		return nil, err
	}
	return f.source()
}

func recordClasses(f *file) error {
	rows, err := records("records.tsv", "uid record")
	if err != nil {
		return err
	}
	sortBy(rows, func(r []string) string { return r[1] })
	f.printf("// recordTypeOf says which record refers to the instances of a SOP Class.\nfunc recordTypeOf(class uid.UID) string {\n\tswitch class {\n")
	for i, r := range rows {
		if i == 0 || rows[i-1][1] != r[1] {
			f.printf("\tcase ")
		}
		if f.printf("%q", r[0]); i < len(rows)-1 && rows[i+1][1] == r[1] {
			f.printf(",\n")
			continue
		}
		f.printf(":\n\t\treturn %q\n", r[1])
	}
	f.printf("\t}\n\treturn \"\"\n}\n\n")
	return nil
}

func recordKeys(f *file) error {
	rows, err := records("record_keys.tsv", "record tag type")
	if err != nil {
		return err
	}
	f.printf("// recordKeysOf are the keys of a record, in the order of their tags.\nfunc recordKeysOf(recordType string) []Key {\n\tswitch recordType {\n")
	for i, r := range rows {
		if i == 0 || rows[i-1][0] != r[0] {
			f.printf("\tcase %q:\n\t\treturn []Key{\n", r[0])
		}
		t, err := strconv.ParseUint(r[1], 16, 32)
		if err != nil || len(r[2]) == 0 || r[2][0] < '1' || r[2][0] > '3' {
			return fmt.Errorf("record_keys.tsv: %s: tag %q, type %q", r[0], r[1], r[2])
		}
		f.printf("\t\t\t{Tag: 0x%08X, Type: %q},\n", t, r[2])
		if i == len(rows)-1 || rows[i+1][0] != r[0] {
			f.printf("\t\t}\n")
		}
	}
	f.printf("\t}\n\treturn nil\n}\n")
	return nil
}
