package verb

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/internal/dump"
)

// answers prints what a query yields.
type answers interface {
	answer(*dicom.DataSet) error
	end() error
}

// answers returns what prints in the layout and form asked for.
func (o *Find) answers(w io.Writer, identifier *dicom.DataSet) (answers, error) {
	switch o.Layout + " " + formName[o.Form] {
	case "text odil":
		return &odilAnswers{w: w, names: o.DecodeUIDs}, nil
	case "text dcmtk":
		return &dumpedAnswers{w: w}, nil
	case "text modern", "text described":
		return &textAnswers{w: w, names: o.Form == Modern}, nil
	case "json modern":
		return &listAnswers{w: w, open: "[", between: ",\n ", close: "]\n", one: writeJSON}, nil
	case "json described":
		return &listAnswers{w: w, open: "[\n", between: ",\n", close: "\n]\n", one: writeTagJSON}, nil
	case "json query":
		return newKeyedJSON(w, levelOf(identifier)), nil
	case "xml modern", "xml described":
		return &listAnswers{w: w, open: xmlHead, close: xmlTail, one: writeXML}, nil
	case "csv modern", "csv described", "csv query":
		return &csvAnswers{w: csv.NewWriter(w), columns: o.columns(identifier)}, nil
	case "table modern", "table query":
		return &tableAnswers{w: w, columns: o.columns(identifier)}, nil
	}
	return nil, Fail(Usage, "format %q: want %s", o.Layout, layouts[o.Form])
}

var (
	formName = [...]string{Modern: "modern", Described: "described", Described3: "query", DCMTK: "dcmtk", Odil: "odil"}
	layouts  = [...]string{Modern: "text, json, csv, xml or table", Described: "text, json, xml or csv", Described3: "table, json or csv", DCMTK: "text"}
)

// column is one of a table.
type column struct {
	name string
	tag  tag.Tag
}

// columns are those of the level, or of the keys asked for.
func (o *Find) columns(identifier *dicom.DataSet) []column {
	level := levelOf(identifier)
	switch o.Form {
	case Described:
		return describedColumns(level)
	case Described3:
		return queryColumns(level)
	}
	var out []column
	for e := range identifier.All() {
		if e.Tag != tag.QueryRetrieveLevel && e.Tag != tag.SpecificCharacterSet {
			out = append(out, column{keyword(e.Tag), e.Tag})
		}
	}
	return out
}

// describedColumns are find_scu's.
func describedColumns(level string) []column {
	switch level {
	case "PATIENT":
		return []column{{"PatientName", tag.PatientName}, {"PatientID", tag.PatientID}, {"PatientBirthDate", tag.PatientBirthDate}, {"PatientSex", tag.PatientSex}}
	case "SERIES":
		return []column{{"SeriesInstanceUID", tag.SeriesInstanceUID}, {"Modality", tag.Modality}, {"SeriesNumber", tag.SeriesNumber},
			{"SeriesDescription", tag.SeriesDescription}, {"NumberOfInstances", tag.NumberOfSeriesRelatedInstances}}
	case "IMAGE":
		return []column{{"SOPInstanceUID", tag.SOPInstanceUID}, {"SOPClassUID", tag.SOPClassUID}, {"InstanceNumber", tag.InstanceNumber}}
	}
	return []column{{"PatientName", tag.PatientName}, {"PatientID", tag.PatientID}, {"StudyInstanceUID", tag.StudyInstanceUID}, {"StudyDate", tag.StudyDate},
		{"StudyTime", tag.StudyTime}, {"AccessionNumber", tag.AccessionNumber}, {"StudyDescription", tag.StudyDescription}, {"Modalities", tag.ModalitiesInStudy}}
}

// queryColumns are query_scu's.
func queryColumns(level string) []column {
	patient := []column{{"Patient Name", tag.PatientName}, {"Patient ID", tag.PatientID}, {"Birth Date", tag.PatientBirthDate}, {"Sex", tag.PatientSex}}
	switch level {
	case "PATIENT":
		return patient
	case "SERIES":
		return []column{{"Modality", tag.Modality}, {"Series #", tag.SeriesNumber}, {"Series Desc", tag.SeriesDescription}, {"Series UID", tag.SeriesInstanceUID}}
	case "IMAGE":
		return []column{{"Instance #", tag.InstanceNumber}, {"SOP Class", tag.SOPClassUID}, {"SOP Instance UID", tag.SOPInstanceUID}}
	}
	return append(patient[:2:2], column{"Study Date", tag.StudyDate}, column{"Accession #", tag.AccessionNumber}, column{"Description", tag.StudyDescription},
		column{"Modalities", tag.ModalitiesInStudy}, column{"Study UID", tag.StudyInstanceUID})
}

func keyword(t tag.Tag) string {
	if e, ok := dict.Lookup(t); ok {
		return e.Keyword
	}
	return "?"
}

func joined(ds *dicom.DataSet, t tag.Tag) string { return strings.Join(ds.Texts(t), `\`) }

// textAnswers prints an element a line.
type textAnswers struct {
	w     io.Writer
	n     int
	names bool
}

func (a *textAnswers) answer(ds *dicom.DataSet) error {
	a.n++
	if _, err := fmt.Fprintf(a.w, "Result %d:\n", a.n); err != nil {
		return err
	}
	for p, e := range ds.Walk() {
		if e.IsSequence() || e.Tag == tag.SpecificCharacterSet {
			continue
		}
		name := ""
		if a.names {
			name = " " + keyword(e.Tag)
		}
		fmt.Fprintf(a.w, "  %s%v%s = %q\n", strings.Repeat("  ", len(p)), e.Tag, name, strings.Join(e.Texts(), `\`))
	}
	return nil
}

func (a *textAnswers) end() error { return nil }

// dumpedAnswers prints as findscu does.
type dumpedAnswers struct {
	w io.Writer
	n int
}

func (a *dumpedAnswers) answer(ds *dicom.DataSet) error {
	a.n++
	var b strings.Builder
	if err := dump.DataSet(&b, ds, 0, dump.Options{}); err != nil {
		return err
	}
	fmt.Fprintf(a.w, "I: ---------------------------\nI: Find Response: %d (Pending)\nI: \nI: # Dicom-Data-Set\n", a.n)
	for line := range strings.Lines(b.String()) {
		fmt.Fprintf(a.w, "I: %s", line)
	}
	_, err := fmt.Fprintln(a.w, "I: ")
	return err
}

func (a *dumpedAnswers) end() error { return nil }

// listAnswers prints a list with something around and between its members.
type listAnswers struct {
	w                    io.Writer
	open, between, close string
	one                  func(io.Writer, *dicom.DataSet) error
	n                    int
}

func (a *listAnswers) answer(ds *dicom.DataSet) error {
	before := a.between
	if a.n == 0 {
		before = a.open
	}
	a.n++
	if _, err := io.WriteString(a.w, before); err != nil {
		return err
	}
	return a.one(a.w, ds)
}

func (a *listAnswers) end() error {
	if a.n == 0 {
		io.WriteString(a.w, a.open)
	}
	_, err := io.WriteString(a.w, a.close)
	return err
}

// writeTagJSON writes find_scu's object: eight digits and a string each.
func writeTagJSON(w io.Writer, ds *dicom.DataSet) error {
	sep := "  {"
	for e := range ds.All() {
		if e.IsSequence() || e.Tag == tag.SpecificCharacterSet {
			continue
		}
		fmt.Fprintf(w, "%s\"%08X\": %s", sep, uint32(e.Tag), quoted(strings.Join(e.Texts(), `\`)))
		sep = ", "
	}
	if sep == "  {" {
		io.WriteString(w, sep)
	}
	_, err := io.WriteString(w, "}")
	return err
}

// quoted is s as a JSON string.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

// csvAnswers prints rows that a spreadsheet takes for text only.
type csvAnswers struct {
	w       *csv.Writer
	columns []column
	started bool
}

func (a *csvAnswers) head() {
	if a.started {
		return
	}
	a.started = true
	row := make([]string, len(a.columns))
	for i, c := range a.columns {
		row[i] = c.name
	}
	a.w.Write(row)
}

func (a *csvAnswers) answer(ds *dicom.DataSet) error {
	a.head()
	row := make([]string, len(a.columns))
	for i, c := range a.columns {
		row[i] = defuse(joined(ds, c.tag))
	}
	a.w.Write(row)
	a.w.Flush()
	return a.w.Error()
}

func (a *csvAnswers) end() error {
	a.head()
	a.w.Flush()
	return a.w.Error()
}

// defuse keeps a spreadsheet from taking a value for a formula.
func defuse(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
