package verb

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// Bounds of a batch: of one line, and of the keys in it.
const (
	maxBatchLine = 1 << 20
	maxLineKeys  = 1000
)

// batchQuery is a line of a batch as an identifier, or what is wrong with it.
type batchQuery struct {
	number     int // of the query, from 1
	line       int // of the file, from 1
	identifier *dicom.DataSet
	err        error
}

// batchFile opens a batch; "-" is standard input.
func batchFile(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, Fail(NoInput, "batch: %w", err)
	}
	return f, nil
}

// batch yields the queries of a file, one a line, each with the keys of base where the line
// has none of its own. Empty lines and comments (#) are no queries.
func batch(r io.Reader, base *dicom.DataSet) iter.Seq[batchQuery] {
	return func(yield func(batchQuery) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxBatchLine)
		q := batchQuery{}
		for lines.Scan() {
			q.line++
			text := strings.TrimSpace(lines.Text())
			if text == "" || text[0] == '#' {
				continue
			}
			q.number++
			q.identifier, q.err = lineQuery(text, base)
			if !yield(q) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("longer than %d bytes", maxBatchLine)
			}
			yield(batchQuery{number: q.number + 1, line: q.line + 1, err: fmt.Errorf("%w; nothing behind it is read", err)})
		}
	}
}

// lineQuery makes the identifier of a line: Keyword=value with quotes around blanks, or a
// JSON object.
func lineQuery(line string, base *dicom.DataSet) (*dicom.DataSet, error) {
	keys, err := lineKeys(line)
	if err != nil {
		return nil, err
	}
	if len(keys) > maxLineKeys {
		return nil, fmt.Errorf("%d keys, at most %d are allowed", len(keys), maxLineKeys)
	}
	tree := new(keyTree)
	for _, k := range keys {
		if err := tree.add(k); err != nil {
			return nil, fmt.Errorf("key %q: %w", k, err)
		}
	}
	ds, err := tree.build(base)
	if err != nil {
		return nil, err
	}
	switch level := levelOf(ds); level {
	case "", "PATIENT", "STUDY", "SERIES", "IMAGE":
		return ds, nil
	default:
		return nil, fmt.Errorf("%v is %q: want PATIENT, STUDY, SERIES or IMAGE", tag.QueryRetrieveLevel, level)
	}
}

func lineKeys(line string) ([]string, error) {
	if line[0] == '{' {
		return jsonLine([]byte(line))
	}
	return words(line)
}

// words splits a line at blanks; quotes keep them. A backslash is no escape, as it stands
// between values.
func words(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	quote, in := rune(0), false
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, in = c, true
		case c != ' ' && c != '\t':
			word.WriteRune(c)
			in = true
		case in:
			out, in = append(out, word.String()), false
			word.Reset()
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	if in {
		out = append(out, word.String())
	}
	return out, nil
}

// jsonLine turns an object into keys. A value is a text or a number, null for a key to
// return, a list, or an attribute of the DICOM JSON Model (PS3.18 F.2.2).
func jsonLine(line []byte) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	if d.More() {
		return nil, errors.New("JSON: something stands behind the object")
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, err := jsonValue(object[name], 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, jsonTag(name)+"="+value)
	}
	return out, nil
}

// jsonTag spells the eight digits of PS3.18 F.2.2 as keys are spelled.
func jsonTag(name string) string {
	if len(name) == 8 && strings.Trim(name, "0123456789abcdefABCDEF") == "" {
		return name[:4] + "," + name[4:]
	}
	return name
}

func jsonValue(v any, depth int) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case []any:
		if depth < 2 {
			return jsonList(v, depth)
		}
	case map[string]any:
		if list, ok := v["Value"]; ok || v["vr"] != nil && depth == 0 {
			return jsonValue(list, depth+1)
		}
		if name, ok := v["Alphabetic"].(string); ok {
			return name, nil
		}
	}
	return "", errors.New("want a text, a number, null or a list of them; a key in a sequence is \"Sequence[0].Keyword\"")
}

func jsonList(list []any, depth int) (string, error) {
	values := make([]string, len(list))
	for i, v := range list {
		var err error
		if values[i], err = jsonValue(v, depth+2); err != nil {
			return "", err
		}
	}
	return strings.Join(values, `\`), nil
}
