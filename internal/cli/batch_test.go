package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/service/query"
)

func batchFile(t *testing.T, lines ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "queries")
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestFindBatch asks three good queries and a bad one in each format.
func TestFindBatch(t *testing.T) {
	var objects []dicomtest.Object
	for n := range 3 {
		objects = append(objects, dicomtest.Object{N: 100 * n})
	}
	_, at := peer(t, objects...)
	file := batchFile(t, "# comment", "PatientID=P1", "Nonsense=1", `{"PatientID": "P*"}`, "", "PatientID=NOBODY")
	find := func(format string) string {
		t.Helper()
		code, out, errs := run(t, "find", at, "--batch", file, "-j", "3", "--format", format, "-k", "PatientID")
		if code != ExitFailed || !strings.Contains(errs, "queries line 3: ") {
			t.Errorf("%s: %d %s", format, code, errs)
		}
		return out
	}
	var answers []struct {
		Query, Line int
		Answers     []map[string]any
		Error       string
	}
	if err := json.Unmarshal([]byte(find("json")), &answers); err != nil || len(answers) != 4 {
		t.Fatalf("json: %v %v", err, answers)
	}
	for i, want := range []int{1, 0, 3, 0} {
		if a := answers[i]; len(a.Answers) != want || a.Query != i+1 || (a.Error != "") != (i == 1) {
			t.Errorf("query %d: %+v", i+1, a)
		}
	}
	if answers[2].Line != 4 {
		t.Errorf("line %d", answers[2].Line)
	}
	rows, err := csv.NewReader(strings.NewReader(find("csv"))).ReadAll()
	if err != nil || len(rows) != 5 || rows[0][0] != "Query" || rows[1][0] != "1" || rows[4][0] != "3" {
		t.Errorf("csv: %v %v", err, rows)
	}
	var model struct {
		Queries []struct {
			Number int        `xml:"number,attr"`
			Models []struct{} `xml:"NativeDicomModel"`
			Error  string     `xml:"error"`
		} `xml:"query"`
	}
	if err := xml.Unmarshal([]byte(find("xml")), &model); err != nil || len(model.Queries) != 4 || len(model.Queries[2].Models) != 3 || model.Queries[1].Error == "" {
		t.Errorf("xml: %v %+v", err, model)
	}
	for _, format := range []string{"text", "table"} {
		if out := find(format); strings.Index(out, "Query 1 (line 2)") != 0 || !strings.Contains(out, "Query 4 (line 6)") || !strings.Contains(out, "failed: ") {
			t.Errorf("%s: %s", format, out)
		}
	}
}

// TestFindBatchOrder has the first queries answered last, and counts the associations.
func TestFindBatchOrder(t *testing.T) {
	var associations atomic.Int64
	finder := query.FinderFunc(func(ctx context.Context, q *query.Query) iter.Seq2[*dicom.DataSet, error] {
		return func(yield func(*dicom.DataSet, error) bool) {
			id := q.Identifier.Text(tag.PatientID)
			if id == "0" {
				time.Sleep(300 * time.Millisecond)
			}
			for range 40 { // more than are held for a query that is not printed yet
				ds, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetText(tag.PatientID, id).Build()
				if !yield(ds, err) {
					return
				}
			}
		}
	})
	mux := new(dimse.ServeMux)
	query.Register(mux, finder, query.Options{})
	at := dicomtest.Serve(t, &dimse.Server{Handler: mux, Policy: dimse.Policy{AnyCalled: true,
		Accept: func(*dimse.Proposal) (dimse.Grant, error) { associations.Add(1); return dimse.Grant{}, nil }}})
	var lines strings.Builder
	for i := range 200 {
		fmt.Fprintf(&lines, "PatientID=%d\n", i)
	}
	code, out, errs := runIn(t, lines.String(), "find", at, "--batch", "-", "-j", "4", "--format", "csv", "-k", "PatientID")
	if code != ExitOK {
		t.Fatalf("%d %s", code, errs)
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 1+200*40 {
		t.Fatalf("%v, %d rows", err, len(rows))
	}
	for i, row := range rows[1:] {
		if want := fmt.Sprint(i/40 + 1); row[0] != want {
			t.Fatalf("row %d is of query %s, want %s", i, row[0], want)
		}
	}
	if n := associations.Load(); n < 2 || n > 4 {
		t.Errorf("%d associations for -j 4", n)
	}
}

func TestFindBatchErrors(t *testing.T) {
	_, at := peer(t, dicomtest.Object{N: 1})
	file := batchFile(t, "PatientID=P0")
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{ExitOK, []string{at, "--batch", file}, ""},
		{ExitUsage, []string{at, "--batch", file, "-j", "0"}, "want 1 to 64"},
		{ExitUsage, []string{at, "--batch", file, "--format", "yaml"}, "text, json, csv, xml or table"},
		{ExitUsage, []string{at, "--batch", file, "--extract", t.TempDir()}, "not extracted"},
		{ExitFailed, []string{at, "--batch", file + "x"}, "no such file"},
		{ExitFailed, []string{at, "--batch", batchFile(t, "# none")}, "no query in"},
		{ExitFailed, []string{at, "--batch", batchFile(t, "PatientID=NOBODY")}, ""},
		{ExitConnect, []string{"localhost:1", "--batch", file}, "nothing from line 1 on was asked"},
	} {
		code, _, errs := run(t, append([]string{"find"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d %s", c.args, code, errs)
		}
	}
}
