package main

import (
	"fmt"
	"strconv"
)

// recordFile writes the directory record of each SOP Class and the keys of each record
// (PS3.3 F.5).
func recordFile() ([]byte, error) {
	f := newFile("dicomdir")
	f.printf("import (\n\t\"gantry/dicom/tag\"\n\t\"gantry/dicom/uid\"\n)\n\n")
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
	f.printf("// recordTypes says which record refers to the instances of a SOP Class.\nvar recordTypes = map[uid.UID]string{\n")
	for _, r := range rows {
		f.printf("\t%q: %q,\n", r[0], r[1])
	}
	f.printf("}\n\n")
	return nil
}

func recordKeys(f *file) error {
	rows, err := records("record_keys.tsv", "record tag type")
	if err != nil {
		return err
	}
	f.printf("// recordKeys are the keys of each record, in the order of their tags.\nvar recordKeys = map[string][]Key{\n")
	for i, r := range rows {
		if i == 0 || rows[i-1][0] != r[0] {
			f.printf("\t%q: {\n", r[0])
		}
		t, err := strconv.ParseUint(r[1], 16, 32)
		if err != nil || len(r[2]) == 0 || r[2][0] < '1' || r[2][0] > '3' {
			return fmt.Errorf("record_keys.tsv: %s: tag %q, type %q", r[0], r[1], r[2])
		}
		f.printf("\t\t{Tag: tag.Tag(0x%08X), Type: %q},\n", t, r[2])
		if i == len(rows)-1 || rows[i+1][0] != r[0] {
			f.printf("\t},\n")
		}
	}
	f.printf("}\n")
	return nil
}
