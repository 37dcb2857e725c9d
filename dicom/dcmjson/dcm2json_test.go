package dcmjson

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gantry/dicom/dict"
	"gantry/dicom/part10"
)

const (
	dcm2json  = "/usr/bin/dcm2json"
	tableName = "testdata/dcm2json_differences.tsv"
)

var update = flag.Bool("update", false, "write the table of differences anew")

// attributeJSON is an attribute as either wrote it.
type attributeJSON struct {
	VR           string            `json:"vr"`
	Value        []json.RawMessage `json:"Value"`
	InlineBinary *string           `json:"InlineBinary"`
}

// TestDcm2json compares what we write with what dcm2json does, for every real file that it
// can write: a third of them, which takes seconds, or all with GANTRY_LONG. What differs must
// be in the table, and only that.
func TestDcm2json(t *testing.T) {
	if _, err := os.Stat(dcm2json); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOTHING WAS COMPARED: %v", err)
	}
	var names []string
	ours := map[string][]byte{}
	n := 0
	samples(t, func(name string, f *part10.File) {
		var b bytes.Buffer
		if n++; n%3 > 0 && !*update && os.Getenv("GANTRY_LONG") == "" {
			return
		}
		if f.Size() > 400<<10 || Encode(&b, f.DataSet, EncodeOptions{}) != nil {
			return
		}
		names = append(names, name)
		ours[name] = b.Bytes()
	})
	found := map[string]string{}
	compared := 0
	var mu sync.Mutex
	inTwos(names, func(name string) {
		theirs, err := exec.Command(dcm2json, "-q", "-fc", filepath.Join(os.Getenv("GANTRY_SAMPLES"), name)).Output()
		var d string
		if err == nil && json.Valid(theirs) {
			d = compareJSON(ours[name], theirs)
		}
		mu.Lock()
		defer mu.Unlock()
		if err == nil && json.Valid(theirs) {
			compared++
		}
		if d != "" {
			found[name] = d
		}
	})
	if compared < len(names)/2 || compared < 100 {
		t.Errorf("only %d of %d files were compared", compared, len(names))
	}
	t.Logf("%d files compared, %d differ", compared, len(found))
	checkTable(t, names, found)
}

// inTwos calls f for all names, two at a time.
func inTwos(names []string, f func(string)) {
	var wait sync.WaitGroup
	for half := range 2 {
		wait.Go(func() {
			for i := half; i < len(names); i += 2 {
				f(names[i])
			}
		})
	}
	wait.Wait()
}

// compareJSON returns the reasons why two objects differ, "" if they do not.
func compareJSON(ours, theirs []byte) string {
	why := map[string]int{}
	compareObjects(ours, theirs, why)
	var out []string
	for _, k := range slices.Sorted(maps.Keys(why)) {
		out = append(out, fmt.Sprintf("%s:%d", k, why[k]))
	}
	return strings.Join(out, " ")
}

func compareObjects(ours, theirs []byte, why map[string]int) {
	var a, b map[string]attributeJSON
	if json.Unmarshal(ours, &a) != nil || json.Unmarshal(theirs, &b) != nil {
		why["unreadable"]++
		return
	}
	for t := range b {
		if _, ok := a[t]; !ok {
			why["only-theirs-"+t]++
		}
	}
	for t, x := range a {
		if y, ok := b[t]; !ok {
			why["only-ours-"+kind(t)]++
		} else if t != "00080005" {
			compareAttributes(t, x, y, why)
		}
	}
}

func kind(t string) string {
	if g, err := strconv.ParseUint(t[:4], 16, 16); err == nil && g&1 == 1 {
		return "private"
	}
	return t
}

func compareAttributes(t string, x, y attributeJSON, why map[string]int) {
	if x.VR != y.VR {
		if tg, err := dict.ParseTag(t); err == nil && tg.IsPrivate() && y.VR == "UN" {
			why["private-vr"]++
			return
		}
		why["vr-"+kind(t)+"-"+x.VR+"-"+y.VR]++
		return
	}
	if x.VR == "SQ" {
		for i := range max(len(x.Value), len(y.Value)) {
			if i >= len(x.Value) || i >= len(y.Value) {
				why["items-"+t]++
				return
			}
			compareObjects(x.Value[i], y.Value[i], why)
		}
		return
	}
	if reason := compareValues(x, y); reason != "" {
		why[reason+"-"+kind(t)+"-"+x.VR]++
	}
}

func compareValues(x, y attributeJSON) string {
	if x.InlineBinary != nil || y.InlineBinary != nil {
		if x.InlineBinary == nil || y.InlineBinary == nil {
			if y.InlineBinary != nil && *y.InlineBinary == "" {
				return "" // an empty value
			}
			return "binary"
		}
		a, _ := base64.StdEncoding.DecodeString(*x.InlineBinary)
		b, _ := base64.StdEncoding.DecodeString(*y.InlineBinary)
		if len(a)&1 == 1 { // dcm2json pads what it reads
			a = append(a, 0)
		}
		if !bytes.Equal(a, b) {
			return "bytes"
		}
		return ""
	}
	if x.VR == "PN" && len(x.Value) > 0 && len(y.Value) == 0 && strings.Trim(string(bytes.Join(raw(x.Value), nil)), `{}":Alphabetic^`) == "" {
		return "carets"
	}
	if len(x.Value) != len(y.Value) {
		return "count"
	}
	for i := range x.Value {
		if !sameValue(x.Value[i], y.Value[i], x.VR) {
			return whyNot(string(x.Value[i]), string(y.Value[i]), x.VR)
		}
	}
	return ""
}

// whyNot names the reason for two values that differ.
func whyNot(a, b, vr string) string {
	f, err := strconv.ParseFloat(a, 64)
	g, err2 := strconv.ParseFloat(b, 64)
	switch {
	case vr == "PN" && strings.ReplaceAll(a, "^", "") == strings.ReplaceAll(b, "^", ""):
		return "carets"
	case strings.Trim(a, `"`) == strings.TrimSuffix(strings.Trim(b, `"`), `\u0000`):
		return "nul"
	case vr == "FD" && err == nil && err2 == nil && math.Abs(f-g) < 1e-14*math.Abs(f):
		return "digits"
	case vr == "UI" && strings.ReplaceAll(a, " ", "") == b:
		return "spaces"
	}
	return "value"
}

// sameValue compares numbers as numbers.
func sameValue(a, b json.RawMessage, vr string) bool {
	var x, y any
	json.Unmarshal(a, &x)
	json.Unmarshal(b, &y)
	if fmt.Sprint(x) == fmt.Sprint(y) {
		return true
	}
	f, err := strconv.ParseFloat(strings.Trim(string(a), `"`), 64)
	g, err2 := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err != nil || err2 != nil {
		return false
	}
	return f == g || vr == "FL" && float32(f) == float32(g)
}

// checkTable holds what was found to the table.
func checkTable(t *testing.T, names []string, found map[string]string) {
	if *update {
		var b bytes.Buffer
		b.WriteString(tableHead)
		for _, name := range slices.Sorted(maps.Keys(found)) {
			fmt.Fprintf(&b, "%s\t%s\n", name, found[name])
		}
		if err := os.WriteFile(tableName, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(tableName)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	known := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, why, ok := strings.Cut(s.Text(), "\t"); ok && !strings.HasPrefix(name, "#") {
			known[name] = why
		}
	}
	for name := range found {
		if known[name] == "" {
			t.Errorf("%s differs: %s", name, found[name])
		}
	}
	for name, why := range known {
		if found[name] != why && slices.Contains(names, name) {
			t.Errorf("%s: %q, the table says %q", name, found[name], why)
		}
	}
}

const tableHead = "# Where our JSON differs from that of dcm2json 3.6.7: file, reasons with how often each occurs.\n" +
	"# carets: dcm2json drops empty components at the end of a name; we write what the file has\n" +
	"# nul: dcm2json takes a zero byte at the end of text for text; we take it for padding\n" +
	"# digits: dcm2json prints a double by its own arithmetic, which does not give it back\n" +
	"# spaces: dcm2json drops spaces inside of UIDs\n" +
	"# private-vr, vr-private: the dictionaries of private elements differ\n" +
	"# only-theirs, only-ours: the file has a tag twice or out of order, or text beyond ASCII that it declares no character set for\n"

func raw(v []json.RawMessage) [][]byte {
	var out [][]byte
	for _, m := range v {
		out = append(out, m)
	}
	return out
}
