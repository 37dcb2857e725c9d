package dump

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

var update = flag.Bool("update", false, "rewrite the table of differences")

const dcmdump = "/usr/bin/dcmdump"

// needs returns the folder of real files, with dcmdump to compare by.
func needs(t testing.TB) string {
	dir := os.Getenv("GANTRY_SAMPLES")
	_, err := os.Stat(dcmdump)
	if dir == "" || err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI needs GANTRY_SAMPLES (%q) and %s (%v)", dir, dcmdump, err)
		}
		t.Skipf("NOTHING WAS COMPARED: GANTRY_SAMPLES=%q, %s: %v", dir, dcmdump, err)
	}
	return dir
}

func sampleNames(t testing.TB, dir string) []string {
	var names []string
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) == ".tsv" || filepath.Ext(name) == ".md" {
			return err
		}
		names = append(names, strings.TrimPrefix(name, dir+"/"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// TestSamples compares our text with that of dcmdump, for every real file, shortened and
// whole. What differs must be in testdata/dump_differences.tsv, and only that.
func TestSamples(t *testing.T) {
	dir := needs(t)
	names := sampleNames(t, dir)
	table := readTable(t)
	short := reference(t, dir, names)
	long := reference(t, dir, names, "+L")
	for _, name := range names {
		got := compare(t, filepath.Join(dir, name), short[name], long[name])
		checkRow(t, name, got, table)
	}
	for _, r := range reasons {
		if !*update && !strings.Contains(classesOf(table), "+"+r.name+"+") {
			t.Errorf("no file differs because of %q", r.name)
		}
	}
	for name := range table {
		if !slices.Contains(names, name) {
			t.Errorf("%s: in the table, not among the samples", name)
		}
	}
	if *update {
		writeTable(t, table)
	}
}

// TestNumbers compares how numbers of every size are printed, and where their line is cut.
func TestNumbers(t *testing.T) {
	needs(t)
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	e := new(dicom.DataSet).Edit()
	floats := make([]byte, 0, 8*500)
	for range 500 {
		f := (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(24)-9))
		floats = binary.LittleEndian.AppendUint64(floats, math.Float64bits(f))
	}
	singles := make([]byte, 0, 4*500)
	for range 500 {
		f := (r.Float32() - 0.5) * float32(math.Pow(10, float64(r.IntN(16)-6)))
		singles = binary.LittleEndian.AppendUint32(singles, math.Float32bits(f))
	}
	for i := range 60 {
		e.SetBytes(tag.New(0x0019, uint16(0x1000+i)), vr.FD, floats[8*i:8*(i+1+i/12)])
		e.SetBytes(tag.New(0x0019, uint16(0x1100+i)), vr.UL, singles[4*i:4*(i+1+i/5)])
		e.SetBytes(tag.New(0x0019, uint16(0x1200+i)), vr.SS, singles[:2*(i+1)])
		e.SetBytes(tag.New(0x0019, uint16(0x1300+i)), vr.OB, singles[:i&^1])
		e.SetBytes(tag.New(0x0019, uint16(0x1400+i)), vr.OW, singles[:i&^1])
		e.SetBytes(tag.New(0x0019, uint16(0x1500+i)), vr.AT, singles[:4*(1+i/6)])
		e.SetBytes(tag.New(0x0019, uint16(0x1600+i)), vr.LO, []byte("abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789/-+\\xyz0123")[:20+i&^1])
		e.SetBytes(tag.New(0x0019, uint16(0x1700+i)), vr.OD, floats[8*i:8*(i+1+i/12)])
	}
	e.SetBytes(tag.New(0x0019, 0x1800), vr.FD, floats).SetBytes(tag.New(0x0019, 0x1801), vr.FL, singles)
	f, b := object(t, e)
	if err := os.WriteFile(filepath.Join(dir, "numbers"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, long := range []bool{false, true} {
		flag := map[bool]string{false: "-L", true: "+L"}[long]
		theirs := reference(t, dir, []string{"numbers"}, flag)["numbers"]
		if o := difference(render(t, f, Options{Compatible: true, Long: long}), theirs); o.lines > 0 {
			for i := range min(len(o.ours), len(o.theirs), 8) {
				a, b := o.ours[i], o.theirs[i]
				at := 0
				for at < min(len(a), len(b)) && a[at] == b[at] {
					at++
				}
				t.Errorf("long=%v ours %.60q theirs %.60q", long, a[max(0, at-25):], b[max(0, at-25):])
			}
		}
	}
}

// outcome holds the lines that only one of two texts has.
type outcome struct {
	lines        int
	ours, theirs []string
	refused      bool
	reordered    bool // no other difference
	merged       bool // the data set has a tag twice
}

func (o *outcome) add(p outcome) {
	o.lines += p.lines
	o.ours = append(o.ours, p.ours...)
	o.theirs = append(o.theirs, p.theirs...)
}

func checkRow(t *testing.T, name string, got outcome, table map[string]*row) {
	r := table[name]
	if *update {
		delete(table, name)
		if got.lines > 0 {
			table[name] = &row{path: name, class: classify(t, got), lines: got.lines, reason: got.example()}
		}
		return
	}
	switch {
	case r == nil && got.lines > 0:
		t.Errorf("%s: %d lines differ, %s", name, got.lines, got.example())
	case r != nil && got.lines == 0:
		t.Errorf("%s: does not differ any more; remove the row", name)
	case r != nil && (got.lines != r.lines || classify(t, got) != r.class):
		t.Errorf("%s: %d lines differ, the table says %d; reason %s, the table says %s", name, got.lines, r.lines, classify(t, got), r.class)
	}
}

// example shows the first difference.
func (o outcome) example() string {
	ours, theirs := "(nothing)", "(nothing)"
	if len(o.ours) > 0 {
		ours = strings.TrimSpace(o.ours[0])
	}
	if len(o.theirs) > 0 {
		theirs = strings.TrimSpace(o.theirs[0])
	}
	if o.refused {
		return "no output of dcmdump"
	}
	return fmt.Sprintf("ours: %.120q theirs: %.120q", ours, theirs)
}

// compare finds the lines that only one of the two has, in both forms.
func compare(t *testing.T, path string, short, long []byte) outcome {
	f, err := part10.Open(path, dicom.DecodeOptions{})
	if err != nil {
		if len(short) > 0 {
			t.Errorf("only dcmdump reads it: %v", err)
		}
		return outcome{}
	}
	defer f.Close()
	ours := render(t, f, Options{Compatible: true})
	o := difference(ours, short)
	whole := render(t, f, Options{Compatible: true, Long: true})
	o.add(difference(whole, long))
	o.refused = len(short) == 0
	o.reordered = o.lines > 0 && reordered(ours, short) && reordered(whole, long)
	o.merged = slices.ContainsFunc(f.DataSet.Flaws(), func(f dicom.Flaw) bool { return f.Kind == dicom.FlawDuplicate || f.Kind == dicom.FlawOrder })
	return o
}

func render(t *testing.T, f *part10.File, o Options) []byte {
	var b bytes.Buffer
	if err := Text(&b, f, o); err != nil {
		t.Error(err)
	}
	return b.Bytes()
}

// difference compares line by line; from the first insertion on it looks for the next
// line that agrees.
func difference(ours, theirs []byte) outcome {
	var o outcome
	a, b := split(ours), split(theirs)
	for len(a) > 0 || len(b) > 0 {
		if len(a) > 0 && len(b) > 0 && same(a[0], b[0]) {
			a, b = a[1:], b[1:]
			continue
		}
		i, j := resync(a, b)
		o.add(outcome{lines: max(i, j), ours: a[:i], theirs: b[:j]})
		a, b = a[i:], b[j:]
	}
	return o
}

func split(b []byte) []string {
	s := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	if len(s) == 1 && s[0] == "" {
		return nil
	}
	return s
}

// resync finds the nearest place where both go on alike.
func resync(a, b []string) (int, int) {
	const reach = 300
	for d := 1; d < reach; d++ {
		for i := 0; i <= d; i++ {
			if j := d - i; i < len(a) && j < len(b) && same(a[i], b[j]) && len(a[i]) > 0 {
				return i, j
			}
		}
	}
	return len(a), len(b)
}

// same compares two lines without the names of private and unknown elements.
func same(ours, theirs string) bool {
	if ours == theirs {
		return true
	}
	o, t := nameAt(ours), nameAt(theirs)
	if o < 0 || t < 0 || ours[:o] != theirs[:t] {
		return false
	}
	tagged := strings.TrimLeft(ours, " ")
	tg, err := dict.ParseTag(tagged[1:10])
	if err != nil {
		return false
	}
	return tg.IsPrivate() || ours[o:] == unknownName || theirs[t:] == unknownName
}

// nameAt is where the name of an element begins in its line, or -1.
func nameAt(line string) int {
	s := strings.TrimLeft(line, " ")
	if len(s) < 12 || s[0] != '(' || s[10] != ')' {
		return -1
	}
	i := strings.LastIndex(line, " # ")
	if i < 0 {
		return -1
	}
	comma := strings.IndexByte(line[i:], ',')
	if comma < 0 {
		return -1
	}
	rest := line[i+comma+1:]
	at := strings.IndexByte(strings.TrimLeft(rest, " "), ' ')
	return i + comma + 1 + len(rest) - len(strings.TrimLeft(rest, " ")) + at + 1
}

// reference runs dcmdump over all files at once and returns its text for each; a file that
// it refuses has none.
func reference(t testing.TB, dir string, names []string, flags ...string) map[string][]byte {
	cmd := exec.Command(dcmdump, append(append(flags, "-q", "+F"), names...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if _, exit := err.(*exec.ExitError); err != nil && !exit {
		t.Fatal(err)
	}
	texts := map[string][]byte{}
	for i, name := range names {
		head := fmt.Sprintf("# dcmdump (%d/%d): %s\n", i+1, len(names), name)
		at := bytes.Index(out, []byte(head))
		if at < 0 {
			t.Fatalf("no heading for %s", name)
		}
		out = out[at+len(head):]
		end := len(out)
		if i+1 < len(names) {
			next := fmt.Sprintf("# dcmdump (%d/%d): ", i+2, len(names))
			if end = bytes.Index(out, []byte(next)); end < 0 {
				t.Fatalf("no end of %s", name)
			}
		}
		if text := out[:end]; len(bytes.TrimSpace(text)) > 0 {
			texts[name] = text
		}
	}
	return texts
}

type row struct {
	path, class, reason string
	lines               int
}

const tableName = "testdata/dump_differences.tsv"

// classesOf joins the reasons that the table gives, each between plus signs.
func classesOf(table map[string]*row) string {
	var b strings.Builder
	for _, r := range table {
		b.WriteString("+" + r.class + "+")
	}
	return b.String()
}

func readTable(t *testing.T) map[string]*row {
	table := map[string]*row{}
	f, err := os.Open(tableName)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		v := strings.Split(s.Text(), "\t")
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		if len(v) != 4 {
			t.Fatalf("%s: %q", tableName, s.Text())
		}
		n, err := strconv.Atoi(v[2])
		if err != nil {
			t.Fatal(err)
		}
		table[v[0]] = &row{path: v[0], class: v[1], lines: n, reason: v[3]}
	}
	return table
}

func writeTable(t *testing.T, table map[string]*row) {
	var b bytes.Buffer
	b.WriteString("# Where our text differs from that of dcmdump 3.6.7: file, reasons, lines, the first of them.\n")
	for _, r := range reasons {
		fmt.Fprintf(&b, "# %s: %s\n", r.name, r.why)
	}
	for _, name := range sorted(table) {
		r := table[name]
		fmt.Fprintf(&b, "%s\t%s\t%d\t%s\n", r.path, r.class, r.lines, r.reason)
	}
	if err := os.WriteFile(tableName, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
