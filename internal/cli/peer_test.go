package cli

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicomtest"
	"gantry/dimse"
)

// peer serves n made-up objects and returns the peer argument.
func peer(t *testing.T, objects ...dicomtest.Object) (*dicomtest.Archive, string) {
	t.Helper()
	a := new(dicomtest.Archive)
	if err := a.Add(objects...); err != nil {
		t.Fatal(err)
	}
	return a, "PACS@" + dicomtest.Serve(t, &dimse.Server{Handler: a.Mux(nil), Policy: dimse.Policy{AnyCalled: true}})
}

func TestFindFormats(t *testing.T) {
	_, at := peer(t, dicomtest.Object{N: 1, Patient: "=1+2"}, dicomtest.Object{N: 101, Patient: "Doe^Jane"})
	find := func(format string) string {
		t.Helper()
		code, out, errs := run(t, "find", at, "--format", format, "-k", "PatientName", "-k", "StudyInstanceUID", "-k", "NumberOfStudyRelatedInstances")
		if code != ExitOK {
			t.Fatalf("%s: %d %s", format, code, errs)
		}
		return out
	}
	var objects []map[string]struct {
		VR    string `json:"vr"`
		Value []any
	}
	if err := json.Unmarshal([]byte(find("json")), &objects); err != nil || len(objects) != 2 {
		t.Fatalf("json: %v", err)
	}
	if name := objects[1]["00100010"]; name.VR != "PN" || !strings.HasPrefix(name.Value[0].(map[string]any)["Alphabetic"].(string), "Doe^Jane") {
		t.Errorf("json: %+v", name)
	}
	var model struct {
		Models []struct {
			Attributes []struct {
				Tag     string `xml:"tag,attr"`
				Keyword string `xml:"keyword,attr"`
				Family  string `xml:"PersonName>Alphabetic>FamilyName"`
			} `xml:"DicomAttribute"`
		} `xml:"NativeDicomModel"`
	}
	text := find("xml")
	if err := xml.Unmarshal([]byte(text), &model); err != nil || len(model.Models) != 2 || !strings.Contains(text, "<FamilyName>Doe</FamilyName><GivenName>Jane</GivenName>") {
		t.Errorf("xml: %v %s", err, text)
	}
	// What a spreadsheet would take for a formula is made text.
	rows, err := csv.NewReader(strings.NewReader(find("csv"))).ReadAll()
	if err != nil || !strings.Contains(strings.Join(rows[1], ",")+strings.Join(rows[2], ","), "'=") {
		t.Errorf("csv: %v %q", err, rows)
	}
	if out := find("table"); !strings.Contains(out, "PatientName") || !strings.Contains(out, "Total: 2 result(s)") {
		t.Errorf("table: %s", out)
	}
	if code, _, errs := run(t, "find", at, "--format", "yaml"); code != ExitUsage || !strings.Contains(errs, "text, json, csv, xml or table") {
		t.Errorf("yaml: %d %s", code, errs)
	}
	if code, _, _ := run(t, "find", at, "-k", "PatientName=NOBODY"); code != ExitFailed {
		t.Errorf("nothing found: %d", code)
	}
}

func TestStoreGetEcho(t *testing.T) {
	a, at := peer(t, dicomtest.Object{N: 1}, dicomtest.Object{N: 2})
	dir := filepath.Join(t.TempDir(), "in")
	if code, out, errs := run(t, "get", at, "-k", "StudyInstanceUID="+string(dicomtest.Study(1)), "--dir", dir, "--naming", "hierarchical"); code != ExitOK || !strings.HasPrefix(out, "2 completed") {
		t.Fatalf("get: %d %s%s", code, out, errs)
	}
	name := filepath.Join(dir, string(dicomtest.Study(1)), string(dicomtest.Series(1)), string(dicomtest.Instance(1))+".dcm")
	if _, err := os.Stat(name); err != nil {
		t.Error(err)
	}
	if code, out, errs := run(t, "store", at, dir, "--report", filepath.Join(t.TempDir(), "r")); code != ExitOK || !strings.HasPrefix(out, "2 sent") {
		t.Errorf("store: %d %s%s", code, out, errs)
	}
	a.OnStore = func(*dimse.Incoming) error { return &dimse.StatusError{Status: dimse.UnableToProcess} }
	if code, out, errs := run(t, "store", at, dir); code != ExitFailed || !strings.HasPrefix(out, "0 sent") || !strings.Contains(errs, "C000") {
		t.Errorf("refused: %d %s%s", code, out, errs)
	}
	if code, out, _ := run(t, "echo", at, "--repeat", "2"); code != ExitOK || strings.Count(out, "answers") != 2 {
		t.Errorf("echo: %d %s", code, out)
	}
	if code, _, _ := run(t, "echo", "localhost:1", "--timeout", "1s"); code != ExitConnect {
		t.Errorf("nobody there: %d", code)
	}
	if code, _, _ := run(t, "echo", "PACS@host:port"); code != ExitUsage {
		t.Errorf("bad peer: %d", code)
	}
}
