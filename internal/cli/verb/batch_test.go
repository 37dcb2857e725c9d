package verb

import (
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
)

func TestLineQuery(t *testing.T) {
	base, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetText(tag.PatientID, "base").Build()
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		`PatientName="DOE JANE" StudyDate=2026`:                         "base|DOE JANE|2026",
		`0010,0020=7 'PatientName=O"NEIL*'`:                             `7|O"NEIL*|`,
		`{"PatientID": 4711, "PatientName": null}`:                      "4711||",
		`{"00100010": {"vr":"PN","Value":[{"Alphabetic":"Doe^J"}]}}`:    "base|Doe^J|",
		`{"PatientID": ["a","b"], "StudyDate": {"vr": "DA"}}`:           `a\b||`,
		"PatientID=x\tPatientName=":                                     "x||",
		`ReferencedStudySequence[0].PatientID=in StudyDate="20260101-"`: "base||20260101-",
	} {
		ds, err := lineQuery(line, base)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if got := joined(ds, tag.PatientID) + "|" + joined(ds, tag.PatientName) + "|" + joined(ds, tag.StudyDate); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	for line, want := range map[string]string{
		`PatientName="DOE`:                            "is not closed",
		`NoSuchKeyword=1`:                             "NoSuchKeyword",
		`{"PatientID": {"a": 1}}`:                     "want a text",
		`{"PatientID": 1} {}`:                         "behind the object",
		`{"PatientID": [[["x"]]]}`:                    "want a text",
		`QueryRetrieveLevel=ANYTHING`:                 "want PATIENT",
		strings.Repeat("PatientID=1 ", maxLineKeys+1): "keys",
	} {
		if _, err := lineQuery(line, base); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", line, err, want)
		}
	}
}

func TestBatchLines(t *testing.T) {
	text := "# one\n\nPatientID=1\nNonsense=\nPatientID=2\n" + strings.Repeat("x", maxBatchLine+1) + "\nPatientID=3\n"
	var lines, numbers, bad []int
	for q := range batch(strings.NewReader(text), new(dicom.DataSet)) {
		lines, numbers = append(lines, q.line), append(numbers, q.number)
		if q.err != nil {
			bad = append(bad, q.line)
		}
	}
	if len(lines) != 4 || lines[0] != 3 || lines[3] != 6 || numbers[3] != 4 || len(bad) != 2 || bad[0] != 4 {
		t.Errorf("lines %v, numbers %v, bad %v", lines, numbers, bad)
	}
}

func FuzzLineQuery(f *testing.F) {
	f.Add(`PatientName="DOE JANE" 0010,0020=1 Sequence[0].Modality=CT`)
	f.Add(`{"00100010": {"vr":"PN","Value":[{"Alphabetic":"A"}]}, "PatientID": [1,"b",null]}`)
	base := new(dicom.DataSet)
	f.Fuzz(func(t *testing.T, line string) {
		if strings.TrimSpace(line) == "" {
			return
		}
		if ds, err := lineQuery(line, base); err == nil && ds == nil {
			t.Fatal("no identifier and no error")
		}
	})
}
