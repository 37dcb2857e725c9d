package verb

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"

	"gantry/dicom"
)

// batchAnswers prints the answers to a batch: those of each query between begin and finish,
// which is given what went wrong.
type batchAnswers interface {
	begin(batchQuery) error
	answer(*dicom.DataSet) error
	finish(error) error
	end() error
}

// batchAnswers returns what prints in the layout, nil if there is none of that name.
func (o *Find) batchAnswers(w io.Writer, base *dicom.DataSet) batchAnswers {
	switch o.Layout {
	case "text":
		return &sections{w: w, each: func(*dicom.DataSet) answers { return &textAnswers{w: w, names: true} }}
	case "table":
		return &sections{w: w, each: func(q *dicom.DataSet) answers { return &tableAnswers{w: w, columns: o.columns(q)} }}
	case "json":
		return &jsonBatch{w: w}
	case "xml":
		return &xmlBatch{w: w}
	case "csv":
		return &csvBatch{o: o, w: csv.NewWriter(w), columns: o.columns(base)}
	}
	return nil
}

// sections prints a heading and then the answers as they are printed without a batch.
type sections struct {
	w    io.Writer
	each func(*dicom.DataSet) answers
	now  answers
}

func (a *sections) begin(q batchQuery) error {
	if q.identifier == nil {
		q.identifier = new(dicom.DataSet)
	}
	a.now = a.each(q.identifier)
	_, err := fmt.Fprintf(a.w, "Query %d (line %d):\n", q.number, q.line)
	return err
}

func (a *sections) answer(ds *dicom.DataSet) error { return a.now.answer(ds) }

func (a *sections) finish(failure error) error {
	if err := a.now.end(); err != nil {
		return err
	}
	if failure != nil {
		fmt.Fprintf(a.w, "failed: %v\n", failure)
	}
	_, err := fmt.Fprintln(a.w)
	return err
}

func (a *sections) end() error { return nil }

// jsonBatch prints an array of an object for each query; its answers are in the DICOM JSON
// Model (PS3.18 F).
type jsonBatch struct {
	w       io.Writer
	queries int
	list    listAnswers
}

func (a *jsonBatch) begin(q batchQuery) error {
	open := ",\n"
	if a.queries == 0 {
		open = "[\n"
	}
	a.queries++
	a.list = listAnswers{w: a.w, open: "[", between: ",\n ", close: "]", one: writeJSON}
	_, err := fmt.Fprintf(a.w, "%s{\"query\": %d, \"line\": %d, \"answers\": ", open, q.number, q.line)
	return err
}

func (a *jsonBatch) answer(ds *dicom.DataSet) error { return a.list.answer(ds) }

func (a *jsonBatch) finish(failure error) error {
	if err := a.list.end(); err != nil {
		return err
	}
	if failure != nil {
		fmt.Fprintf(a.w, ", \"error\": %s", quoted(failure.Error()))
	}
	_, err := io.WriteString(a.w, "}")
	return err
}

func (a *jsonBatch) end() error {
	text := "\n]\n"
	if a.queries == 0 {
		text = "[]\n"
	}
	_, err := io.WriteString(a.w, text)
	return err
}

// xmlBatch prints an element for each query around Native DICOM Models (PS3.19 A.1).
type xmlBatch struct {
	w      io.Writer
	opened bool
}

func (a *xmlBatch) begin(q batchQuery) error {
	if !a.opened {
		io.WriteString(a.w, xmlHead)
	}
	a.opened = true
	_, err := fmt.Fprintf(a.w, "<query number=\"%d\" line=\"%d\">\n", q.number, q.line)
	return err
}

func (a *xmlBatch) answer(ds *dicom.DataSet) error { return writeXML(a.w, ds) }

func (a *xmlBatch) finish(failure error) error {
	if failure != nil {
		io.WriteString(a.w, "<error>")
		xml.EscapeText(a.w, []byte(failure.Error()))
		io.WriteString(a.w, "</error>\n")
	}
	_, err := io.WriteString(a.w, "</query>\n")
	return err
}

func (a *xmlBatch) end() error {
	text := xmlTail
	if !a.opened {
		text = xmlHead + xmlTail
	}
	_, err := io.WriteString(a.w, text)
	return err
}

// csvBatch prints rows that begin with the query's number. Their columns are those of the
// keys on the command line and in the first query.
type csvBatch struct {
	o       *Find
	w       *csv.Writer
	columns []column
	started bool
	row     []string
}

func (a *csvBatch) begin(q batchQuery) error {
	if !a.started {
		if a.started = true; q.identifier != nil {
			a.columns = a.o.columns(q.identifier)
		}
		head := []string{"Query"}
		for _, c := range a.columns {
			head = append(head, c.name)
		}
		a.w.Write(head)
	}
	a.row = append(a.row[:0], strconv.Itoa(q.number))
	return a.w.Error()
}

func (a *csvBatch) answer(ds *dicom.DataSet) error {
	a.row = a.row[:1]
	for _, c := range a.columns {
		a.row = append(a.row, defuse(joined(ds, c.tag)))
	}
	return a.w.Write(a.row)
}

func (a *csvBatch) finish(error) error {
	a.w.Flush()
	return a.w.Error()
}

func (a *csvBatch) end() error {
	a.w.Flush()
	return a.w.Error()
}
