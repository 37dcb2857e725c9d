package compat

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/internal/cli/verb"
)

// run runs a program under its name.
func run(t *testing.T, name string, args ...string) (code int, out, errs string) {
	t.Helper()
	return runIn(t, "", name, args...)
}

func runIn(t *testing.T, stdin, name string, args ...string) (code int, out, errs string) {
	t.Helper()
	p, ok := Lookup("/usr/bin/" + name)
	if !ok {
		t.Fatalf("no program %s", name)
	}
	var o, e bytes.Buffer
	code = p.Main(context.Background(), args, &verb.Stdio{In: strings.NewReader(stdin), Out: &o, Err: &e})
	return code, o.String(), e.String()
}

// archive serves n made-up objects.
func archive(t *testing.T, n int) (a *dicomtest.Archive, host, port string) {
	t.Helper()
	a = new(dicomtest.Archive)
	for i := range n {
		if err := a.Add(dicomtest.Object{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	addr := dicomtest.Serve(t, &dimse.Server{Handler: a.Mux(nil), Policy: dimse.Policy{AnyCalled: true}})
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return a, host, port
}

// closed is a port that nobody listens on.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func wants(t *testing.T, what, have string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(have, p) {
			t.Errorf("%s has no %q:\n%s", what, p, have)
		}
	}
}

func TestEchoPrograms(t *testing.T) {
	_, host, port := archive(t, 0)
	code, out, _ := run(t, "echo_scu", "-v", host, port)
	if code != 0 {
		t.Errorf("echo_scu: %d", code)
	}
	wants(t, "echo_scu -v", out, "Association Accepted", "Received Echo Response", "Echo Successful", "Total time")
	code, out, _ = run(t, "echo_scu", host, port, "-aet", "X", "--repeat=3", "--repeat-delay", "1")
	if code != 0 {
		t.Errorf("echo_scu -r: %d", code)
	}
	wants(t, "echo_scu -r 3", out, "Total echoes:   3", "Success rate:   100.0%", "SUCCESS")
	if code, out, _ := run(t, "echo_scu", "-q", host, port); code != 0 || out != "" {
		t.Errorf("-q: %d %q", code, out)
	}
	if code, _, _ := run(t, "echo_scu", host, closed(t)); code != 1 {
		t.Errorf("echo_scu to nobody: %d", code)
	}
	if code, _, _ := run(t, "echo_scu", host); code != 2 {
		t.Errorf("echo_scu without port: %d", code)
	}
	code, out, errs := run(t, "echoscu", "-v", "--propose-ts", "38", "-ppc", "128", "--repeat", "2", host, port)
	if code != 0 || out != "" {
		t.Errorf("echoscu: %d %s", code, out)
	}
	wants(t, "echoscu -v", errs, "I: Requesting Association", "I: Releasing Association")
	if code, _, errs := run(t, "echoscu", "-der", host, port); code != 1 || !strings.Contains(errs, "openssl") {
		t.Errorf("echoscu -der: %d %s", code, errs)
	}
	if code, _, _ := run(t, "secure_echo_scu", host, port, "PACS", "--cert", "x"); code != 1 {
		t.Errorf("--cert without --key: %d", code)
	}
	if code, _, errs := run(t, "secure_echo_scu", host, port, "PACS", "--no-verify", "--timeout", "2000"); code != 1 || !strings.Contains(errs, "TLS") {
		t.Errorf("TLS to a port without: %d %s", code, errs)
	}
}

func TestFindFormats(t *testing.T) {
	_, host, port := archive(t, 250)
	find := func(args ...string) string {
		t.Helper()
		code, out, errs := run(t, "find_scu", append(args, host, port)...)
		if code != 0 {
			t.Fatalf("%v: %d %s", args, code, errs)
		}
		return out
	}
	wants(t, "text", find("-S", "-k", "0010,0010"), "Result 1:", "Result 3:", `(0020,000D) = "`+string(dicomtest.Study(0)))
	var objects []map[string]string
	if err := json.Unmarshal([]byte(find("-S", "-o", "json", "-k", "(0020,000d)="+string(dicomtest.Study(100)))), &objects); err != nil || len(objects) != 1 || objects[0]["0020000D"] != string(dicomtest.Study(100)) {
		t.Errorf("json: %v %v", err, objects)
	}
	rows, err := csv.NewReader(strings.NewReader(find("-S", "--output", "csv"))).ReadAll()
	if err != nil || len(rows) != 4 || strings.Join(rows[0], ",") != "PatientName,PatientID,StudyInstanceUID,StudyDate,StudyTime,AccessionNumber,StudyDescription,Modalities" {
		t.Errorf("csv: %v %v", err, rows)
	}
	if err := xml.Unmarshal([]byte(find("-S", "-o", "xml")), new(struct {
		Models []struct{} `xml:"NativeDicomModel"`
	})); err != nil {
		t.Errorf("xml: %v", err)
	}
	file := filepath.Join(t.TempDir(), "out.json")
	if out := find("-S", "-o", "json", "--output-file", file); out != "" {
		t.Errorf("output with --output-file: %s", out)
	}
	if b, err := os.ReadFile(file); err != nil || !json.Valid(b) {
		t.Errorf("%v %s", err, b)
	}
	list := filepath.Join(t.TempDir(), "query.txt")
	os.WriteFile(list, []byte("# a study\n(0020,000d)="+string(dicomtest.Study(0))+"\n\n(0008,0060)\n"), 0o600)
	if out := find("-S", "-L", "SERIES", "-f", list); strings.Count(out, "Result ") != 10 {
		t.Errorf("query file: %s", out)
	}
}

func TestFindLimits(t *testing.T) {
	_, host, port := archive(t, 250)
	code, out, errs := run(t, "find_scu", "-S", "--max-results", "2", host, port)
	if code != 0 || strings.Count(out, "Result ") != 2 || !strings.Contains(errs, "there are more") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if code, out, _ := run(t, "find_scu", "-S", "-o", "json", "-k", "PatientName=NOBODY", host, port); code != 1 || strings.TrimSpace(out) != "[\n\n]" {
		t.Errorf("nothing found: %d %q", code, out)
	}
	if code, _, _ := run(t, "find_scu", "-S", "-k", "NoSuchKeyword=1", host, port); code != 2 {
		t.Errorf("bad key: %d", code)
	}
	if code, _, _ := run(t, "find_scu", "-S", host, closed(t)); code != 2 {
		t.Errorf("nobody there: %d", code)
	}
}

func TestQueryPrograms(t *testing.T) {
	_, host, port := archive(t, 120)
	code, out, errs := run(t, "query_scu", host, port, "PACS")
	if code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	wants(t, "table", out, "Patient Name", "Study UID", "Total: 2 result(s)")
	code, out, _ = run(t, "query_scu", host, port, "PACS", "--level", "series", "--study-uid", string(dicomtest.Study(0)), "--format", "json")
	var object struct {
		QueryLevel  string
		ResultCount int
		Results     []struct{ SeriesInstanceUid string }
	}
	if err := json.Unmarshal([]byte(out), &object); code != 0 || err != nil || object.QueryLevel != "SERIES" || object.ResultCount != 10 || len(object.Results) != 10 || object.Results[0].SeriesInstanceUid == "" {
		t.Errorf("%d %v %s", code, err, out)
	}
	if code, _, _ := run(t, "query_scu", host, port, "PACS", "--patient-id", "nobody"); code != 1 {
		t.Errorf("no result: %d", code)
	}
}

func TestDCMTKFind(t *testing.T) {
	_, host, port := archive(t, 250)
	t.Chdir(t.TempDir())
	code, _, errs := run(t, "findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-xd", host, port)
	if code != 0 {
		t.Fatalf("%d %s", code, errs)
	}
	wants(t, "findscu", errs, "I: Find Response: 3 (Pending)", "(0020,000d) UI ["+string(dicomtest.Study(0))+"]")
	code, out, errs := run(t, "findscu", "-S", "-X", "-Xlo", "2", "-k", "0008,0052=STUDY", "-k", "StudyInstanceUID", host, port)
	if code != 0 || out != "" {
		t.Fatalf("-X: %d %s %s", code, out, errs)
	}
	f, err := part10.Open("rsp0002.dcm", dicom.DecodeOptions{})
	if err != nil || f.DataSet.UID(tag.StudyInstanceUID) == "" {
		t.Fatalf("rsp0002.dcm: %v", err)
	}
	f.Close()
	if _, err := os.Stat("rsp0003.dcm"); err == nil {
		t.Error("-Xlo 2 wrote a third")
	}
	code, _, out = run(t, "findscu", "-S", "-k", "StudyInstanceUID="+string(dicomtest.Study(100)), host, port, "rsp0001.dcm", "rsp0002.dcm")
	if code != 0 || strings.Count(out, "Find Response") != 2 {
		t.Errorf("query files: %d %s", code, out)
	}
	if code, _, _ := run(t, "findscu", "-S", "-k", "0008,0052=STUDY", host, closed(t)); code != 2 {
		t.Errorf("nobody there: %d", code)
	}
}
