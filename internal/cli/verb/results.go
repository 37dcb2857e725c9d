package verb

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// outcomeJSON is what came of a verb, for scripts: one JSON object on one line.
func outcomeJSON(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

// rows prints a list in one of the formats table, csv and json.
type rows struct {
	w      io.Writer
	format string
	tabs   *tabwriter.Writer
	csv    *csv.Writer
	keys   []string
	n      int
}

// newRows begins a list with headings.
func newRows(w io.Writer, format string, head ...string) *rows {
	r := &rows{w: w, format: format}
	switch format {
	case "csv":
		r.csv = csv.NewWriter(w)
		r.csv.Write(head)
	case "json":
		for _, h := range head {
			r.keys = append(r.keys, camel(h))
		}
	default:
		r.tabs = tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(r.tabs, strings.Join(head, "\t"))
	}
	return r
}

func (r *rows) add(cells ...string) {
	switch {
	case r.csv != nil:
		for i, c := range cells {
			cells[i] = defuse(c)
		}
		r.csv.Write(cells)
	case r.tabs != nil:
		fmt.Fprintln(r.tabs, strings.Join(cells, "\t"))
	default:
		fmt.Fprint(r.w, [...]string{"[", ",\n "}[min(r.n, 1)])
		r.object(cells)
	}
	r.n++
}

// object prints a row with its headings as keys, in their order.
func (r *rows) object(cells []string) {
	for i, c := range cells {
		fmt.Fprintf(r.w, "%s%q: %s", [...]string{"{", ", "}[min(i, 1)], r.keys[i], quoted(c))
	}
	fmt.Fprint(r.w, "}")
}

// end writes what is left.
func (r *rows) end() error {
	switch {
	case r.csv != nil:
		r.csv.Flush()
		return r.csv.Error()
	case r.tabs != nil:
		return r.tabs.Flush()
	case r.n == 0:
		fmt.Fprint(r.w, "[")
	}
	_, err := fmt.Fprintln(r.w, "]")
	return err
}

// camel makes a key of a heading: Study UID is studyUid.
func camel(heading string) string {
	var b strings.Builder
	for i, word := range strings.FieldsFunc(heading, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		word = strings.ToLower(word)
		if i > 0 {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		b.WriteString(word)
	}
	return b.String()
}
