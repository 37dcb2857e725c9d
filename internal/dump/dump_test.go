package dump

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// object makes a file in memory.
func object(t testing.TB, e *dicom.Editor) (*part10.File, []byte) {
	t.Helper()
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := part10.MetaInfo{Class: uid.CTImageStorage, Instance: "1.2.3", Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	f, err := part10.NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return f, b.Bytes()
}

func text(t testing.TB, f *part10.File, o Options) string {
	t.Helper()
	var b strings.Builder
	if err := Text(&b, f, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOptions(t *testing.T) {
	item, err := new(dicom.DataSet).Edit().SetText(tag.CodeValue, "A").Build()
	if err != nil {
		t.Fatal(err)
	}
	f, _ := object(t, new(dicom.DataSet).Edit().
		SetText(tag.SpecificCharacterSet, "ISO_IR 100").
		SetItems(tag.ProcedureCodeSequence, item, item).
		SetText(tag.PatientName, "Müller^\u00a0").
		SetText(tag.PatientComments, strings.Repeat("x", 100)))
	whole := text(t, f, Options{})
	for _, want := range []string{
		"# Dicom-Meta-Information-Header",
		"UI =ExplicitVRLittleEndian ",
		`PN [Müller^\xa0] `,
		"[" + strings.Repeat("x", 66) + "... # 100, 1 PatientComments\n",
		"    (0008,0100) SH [A] ",
	} {
		if !strings.Contains(whole, want) {
			t.Errorf("no %q in\n%s", want, whole)
		}
	}
	if s := text(t, f, Options{NoMeta: true}); strings.Contains(s, "(0002,") || !strings.Contains(s, "(0010,0010)") {
		t.Errorf("NoMeta: %s", s)
	}
	if s := text(t, f, Options{Long: true}); !strings.Contains(s, "["+strings.Repeat("x", 100)+"] # 100") {
		t.Errorf("Long: %s", s)
	}
	if s := text(t, f, Options{Compatible: true}); !strings.Contains(s, "[M\xfcller^\xa0]") || !strings.Contains(s, "=LittleEndianExplicit") {
		t.Errorf("Compatible: %s", s)
	}
	if s := text(t, f, Options{Tags: []tag.Tag{tag.CodeValue, tag.TransferSyntaxUID}}); strings.Count(s, "\n") != 3 || strings.Count(s, "CodeValue") != 2 {
		t.Errorf("Tags: %s", s)
	}
	if s := text(t, f, Options{Tags: []tag.Tag{tag.ProcedureCodeSequence}, NoMeta: true}); strings.Count(s, "\n") != 8 {
		t.Errorf("a sequence: %s", s)
	}
}

// TestFloats holds the digits that dcmdump 3.6.7 was seen to print.
func TestFloats(t *testing.T) {
	for _, c := range []struct {
		v              float64
		bits           int
		want, shortest string
	}{
		{179.035797119140625, 32, "179.0357971", "179.0358"},
		{54.09999847412109, 32, "54.09999847", "54.1"},
		{-75.69999694824219, 32, "-75.6999969", "-75.7"},
		{0.7, 64, "0.7", "0.7"},
		{862399761.111079, 64, "862399761.11107898", "8.62399761111079e+08"},
		{34.6, 64, "34.600000000000001", "34.6"},
		{0.00037512500000000002, 64, "0.00037512500000000006", "0.000375125"},
		{math.Copysign(0, -1), 64, "0", "-0"},
		{1e-6, 64, "1e-06", "1e-06"},
		{9.99999999999, 32, "10", "10"},
		{9.999999747378752e-05, 32, "9.99999975e-05", "0.0001"},
		{123456789012, 32, "1.23456789e+11", "1.2345679e+11"},
		{math.NaN(), 64, "nan", "nan"},
		{math.Inf(-1), 32, "-inf", "-inf"},
	} {
		p := printer{o: Options{Compatible: true}}
		p.float(c.v, c.bits)
		if string(p.buf) != c.want {
			t.Errorf("%v: %s, want %s", c.v, p.buf, c.want)
		}
		p = printer{}
		p.float(c.v, c.bits)
		if string(p.buf) != c.shortest {
			t.Errorf("%v: shortest %s, want %s", c.v, p.buf, c.shortest)
		}
	}
}

// counting counts what is read.
type counting struct {
	r io.ReaderAt
	n int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// TestBulk holds that shortened values are not read, and long ones printed whole.
func TestBulk(t *testing.T) {
	_, b := object(t, new(dicom.DataSet).Edit().
		SetText(tag.TextValue, strings.Repeat("0123456789abcde\n", 20000)).
		SetBytes(tag.PixelData, vr.OW, make([]byte, 1<<20)))
	c := &counting{r: bytes.NewReader(b)}
	f, err := part10.NewFile(c, int64(len(b)), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.n = 0
	short := text(t, f, Options{})
	if !strings.Contains(short, `0123456789abcde\x0a0123`) || !strings.Contains(short, "0000\\0000... # 1048576, 1 PixelData\n") {
		t.Errorf("%s", short)
	}
	if c.n > 64<<10 {
		t.Errorf("%d bytes read for %d lines", c.n, strings.Count(short, "\n"))
	}
	long := text(t, f, Options{Long: true})
	if n := strings.Count(long, "0000"); n < 1<<19 {
		t.Errorf("%d words", n)
	}
	if n := strings.Count(long, "0123456789abcde"); n != 20000 {
		t.Errorf("%d lines of text", n)
	}
	f.Close()
	if err := Text(io.Discard, f, Options{Long: true}); err == nil || !strings.Contains(err.Error(), "(0040,A160)") {
		t.Errorf("closed file: %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteError(t *testing.T) {
	f, _ := object(t, new(dicom.DataSet).Edit().SetBytes(tag.PixelData, vr.OB, make([]byte, 1<<20)))
	if err := Text(full{}, f, Options{Long: true}); err == nil || err.Error() != "disk full" {
		t.Error(err)
	}
}

// FuzzText holds that every file that can be read can be printed, each value on its line.
func FuzzText(f *testing.F) {
	_, b := object(f, new(dicom.DataSet).Edit().SetText(tag.PatientName, "A^B").SetInt(tag.Rows, 1, 2, 3))
	f.Add(b)
	f.Add([]byte("\x08\x00\x00\x00\x04\x00\x00\x00\xfe\xff\x00\xe0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := part10.NewFile(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{BulkMin: 8, Limits: dicom.Limits{MaxElements: 1000}})
		if err != nil {
			return
		}
		for _, o := range []Options{{}, {Long: true}, {Compatible: true}, {Tags: []tag.Tag{tag.PatientName}}} {
			if err := Text(io.Discard, file, o); err != nil {
				t.Fatal(err)
			}
		}
		for _, line := range strings.Split(text(t, file, Options{Long: true}), "\n") {
			if line != "" && !strings.Contains(line, "# ") && !strings.Contains(line, "#  ") {
				t.Fatalf("a line of its own: %q", line)
			}
		}
	})
}
