package verb

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// widest is the most characters of a column in a table.
const widest = 40

// tableRows is how many answers are held to find the widths of the columns; those that come
// later take the widths found.
const tableRows = 1000

// tableAnswers prints columns.
type tableAnswers struct {
	w       io.Writer
	columns []column
	held    [][]string
	widths  []int
	rows    int
}

func (a *tableAnswers) answer(ds *dicom.DataSet) error {
	a.rows++
	row := make([]string, len(a.columns))
	for i, c := range a.columns {
		row[i] = cell(joined(ds, c.tag))
	}
	if a.widths != nil {
		return a.print(row)
	}
	if a.held = append(a.held, row); len(a.held) == tableRows {
		return a.flush()
	}
	return nil
}

// cell is a value as it stands in a table: short, and without what moves a cursor.
func cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= widest {
		return s
	}
	return string([]rune(s)[:widest-3]) + "..."
}

func (a *tableAnswers) flush() error {
	a.widths = make([]int, len(a.columns))
	head, rule := make([]string, len(a.columns)), make([]string, len(a.columns))
	for i, c := range a.columns {
		head[i], a.widths[i] = c.name, utf8.RuneCountInString(c.name)
		for _, row := range a.held {
			a.widths[i] = max(a.widths[i], utf8.RuneCountInString(row[i]))
		}
		rule[i] = strings.Repeat("-", a.widths[i])
	}
	for _, row := range append([][]string{head, rule}, a.held...) {
		if err := a.print(row); err != nil {
			return err
		}
	}
	a.held = nil
	return nil
}

func (a *tableAnswers) print(row []string) error {
	var b strings.Builder
	for i, v := range row {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(v)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", max(0, a.widths[i]-utf8.RuneCountInString(v))))
		}
	}
	_, err := fmt.Fprintln(a.w, strings.TrimRight(b.String(), " "))
	return err
}

func (a *tableAnswers) end() error {
	if a.widths == nil && a.rows > 0 {
		if err := a.flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.w, "\nTotal: %d result(s)\n", a.rows)
	return err
}

// jsonKey is a value of query_scu's objects.
type jsonKey struct {
	name string
	tag  tag.Tag
}

// jsonKeys are those of a level.
func jsonKeys(level string) []jsonKey {
	patient := []jsonKey{{"patientName", tag.PatientName}, {"patientId", tag.PatientID}, {"birthDate", tag.PatientBirthDate}, {"sex", tag.PatientSex}}
	switch level {
	case "PATIENT":
		return patient
	case "SERIES":
		return []jsonKey{{"modality", tag.Modality}, {"seriesNumber", tag.SeriesNumber}, {"seriesDescription", tag.SeriesDescription}, {"seriesInstanceUid", tag.SeriesInstanceUID}}
	case "IMAGE":
		return []jsonKey{{"instanceNumber", tag.InstanceNumber}, {"sopClassUid", tag.SOPClassUID}, {"sopInstanceUid", tag.SOPInstanceUID}}
	}
	return append(patient, jsonKey{"studyDate", tag.StudyDate}, jsonKey{"accessionNumber", tag.AccessionNumber}, jsonKey{"studyDescription", tag.StudyDescription},
		jsonKey{"modalities", tag.ModalitiesInStudy}, jsonKey{"studyInstanceUid", tag.StudyInstanceUID})
}

// keyedJSON prints query_scu's object: level, count and results. The count stands before
// the results, so that these wait as text until the end.
type keyedJSON struct {
	w     io.Writer
	level string
	rows  strings.Builder
	n     int
}

func newKeyedJSON(w io.Writer, level string) *keyedJSON { return &keyedJSON{w: w, level: level} }

func (a *keyedJSON) answer(ds *dicom.DataSet) error {
	if a.n > 0 {
		a.rows.WriteString(",\n")
	}
	a.n++
	sep := "    {"
	for _, k := range jsonKeys(a.level) {
		fmt.Fprintf(&a.rows, "%s\"%s\": %s", sep, k.name, quoted(joined(ds, k.tag)))
		sep = ", "
	}
	a.rows.WriteString("}")
	return nil
}

func (a *keyedJSON) end() error {
	rows := a.rows.String()
	if a.n > 0 {
		rows = "\n" + rows + "\n  "
	}
	_, err := fmt.Fprintf(a.w, "{\n  \"queryLevel\": %s,\n  \"resultCount\": %d,\n  \"results\": [%s]\n}\n", quoted(a.level), a.n, rows)
	return err
}
