package part10_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// object is a small data set with a value that stays outside of memory.
func object(t testing.TB) *dicom.DataSet {
	t.Helper()
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3").
		SetText(tag.PatientName, "Doe^Jane").SetBytes(tag.PixelData, vr.OW, bytes.Repeat([]byte{1, 2}, 50_000)).Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func file(t testing.TB, syntax uid.UID) []byte {
	t.Helper()
	meta, err := part10.MetaInfo{Class: uid.CTImageStorage, Instance: "1.2.3", Syntax: syntax, SourceAE: "CT1"}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, object(t), syntax); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(b []byte) (*part10.File, error) {
	return part10.NewFile(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{})
}

func TestWriteAndRead(t *testing.T) {
	for _, syntax := range []uid.UID{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian} {
		b := file(t, syntax)
		f, err := read(b)
		if err != nil {
			t.Fatalf("%s: %v", syntax.Name(), err)
		}
		if f.Syntax != syntax || !f.HasPreamble || f.DataSet.Text(tag.PatientName) != "Doe^Jane" || len(f.DataSet.Flaws())+len(f.Meta.Flaws()) != 0 {
			t.Errorf("%s: read as %s, %v", syntax.Name(), f.Syntax, f.DataSet.Flaws())
		}
		if n, err := f.Meta.Int(tag.FileMetaInformationGroupLength); err != nil || n != f.DataSetOffset-144 {
			t.Errorf("%s: group length %d, the data set begins at %d", syntax.Name(), n, f.DataSetOffset)
		}
		var again bytes.Buffer
		if _, err := f.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("%s: WriteTo changes the file, %v", syntax.Name(), err)
		}
	}
}

// TestWhatWritersLeaveOut reads files without a preamble, without file meta information,
// and with file meta information in Implicit VR.
func TestWhatWritersLeaveOut(t *testing.T) {
	whole := file(t, uid.ExplicitVRLittleEndian)
	f, err := read(whole)
	if err != nil {
		t.Fatal(err)
	}
	implicit, err := dicom.AppendEncode(make([]byte, 128, 1024), f.Meta, uid.ImplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	implicit = append(append(implicit[:128:128], "DICM"...), implicit[128:]...)
	native, err := dicom.AppendEncode(nil, object(t), uid.ImplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	big, err := dicom.AppendEncode(nil, object(t), uid.ExplicitVRBigEndian)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		b      []byte
		syntax uid.UID
	}{
		"no preamble":             {whole[132:], uid.ExplicitVRLittleEndian},
		"no meta":                 {append(whole[:132:132], whole[f.DataSetOffset:]...), uid.ExplicitVRLittleEndian},
		"nothing before":          {whole[f.DataSetOffset:], uid.ExplicitVRLittleEndian},
		"nothing before implicit": {native, uid.ImplicitVRLittleEndian},
		"nothing before big":      {big, uid.ExplicitVRBigEndian},
		"implicit meta":           {append(implicit, whole[f.DataSetOffset:]...), uid.ExplicitVRLittleEndian},
	} {
		got, err := read(c.b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Syntax != c.syntax || got.DataSet.Text(tag.PatientName) != "Doe^Jane" {
			t.Errorf("%s: %s, %q", name, got.Syntax, got.DataSet.Text(tag.PatientName))
		}
	}
	for _, b := range []string{"", "short", "%PDF-1.7 and more text than a preamble would have, but not quite a DICOM file, is it?", "MZ\x90\x00"} {
		if _, err := read([]byte(b)); err == nil {
			t.Errorf("%q is taken for a DICOM file", b)
		}
	}
}

func TestBulkEndsWithTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.dcm")
	if err := os.WriteFile(name, file(t, uid.ExplicitVRLittleEndian), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	px, _ := f.DataSet.Get(tag.PixelData)
	bulk, ok := px.Bulk()
	if !ok {
		t.Fatal("100,000 bytes are in memory")
	}
	p := make([]byte, 2)
	if _, err := bulk.ReadAt(p, 10); err != nil || p[0] != 1 || p[1] != 2 {
		t.Errorf("%v, %v", p, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := bulk.ReadAt(p, 10); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// TestHeaderRewriteCopiesPixelsByRange changes a header; the pixel data must be read from
// the old file while the new one is written, and not before.
func TestHeaderRewriteCopiesPixelsByRange(t *testing.T) {
	b := file(t, uid.ExplicitVRLittleEndian)
	r := &watched{r: bytes.NewReader(b)}
	f, err := part10.NewFile(r, int64(len(b)), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ds, err := f.DataSet.Edit().SetText(tag.PatientName, "Roe^Richard").Build()
	if err != nil {
		t.Fatal(err)
	}
	if r.read > 20_000 {
		t.Errorf("%d bytes were read for a header", r.read)
	}
	var out bytes.Buffer
	if err := part10.Write(&out, f.Meta, ds, f.Syntax); err != nil {
		t.Fatal(err)
	}
	again, err := read(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	old, _ := f.DataSet.Get(tag.PixelData)
	now, _ := again.DataSet.Get(tag.PixelData)
	want, _ := io.ReadAll(old.Reader())
	got, _ := io.ReadAll(now.Reader())
	if again.DataSet.Text(tag.PatientName) != "Roe^Richard" || !bytes.Equal(want, got) {
		t.Error("the rewritten file is another object")
	}
}

type watched struct {
	r    io.ReaderAt
	read int
}

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	w.read += len(p)
	return w.r.ReadAt(p, off)
}

// TestMislabelled reads text by another character set than the file says.
func TestMislabelled(t *testing.T) {
	ds, err := new(dicom.DataSet).Edit().SetText(tag.SpecificCharacterSet, "ISO_IR 100").SetBytes(tag.PatientName, vr.PN, []byte("\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd")).Build()
	if err != nil {
		t.Fatal(err)
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	right, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, Charset: "ISO_IR 192"})
	if err != nil || right.Text(tag.PatientName) != "Иван" || ds.Text(tag.PatientName) == "Иван" {
		t.Errorf("%q, %v", right.Text(tag.PatientName), err)
	}
}

// FuzzFile holds that no bytes make reading a file panic, and that WriteTo gives them back.
func FuzzFile(f *testing.F) {
	for _, syntax := range []uid.UID{uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian} {
		b := file(f, syntax)
		f.Add(b[:min(len(b), 600)])
		f.Add(b[132:min(len(b), 500)])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := part10.NewFile(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{Limits: dicom.Limits{MaxElements: 10_000, MaxInflated: 1 << 20}})
		if err != nil {
			return
		}
		for _, e := range file.DataSet.Walk() {
			e.Texts()
		}
		var out bytes.Buffer
		if _, err := file.WriteTo(&out); err != nil || !bytes.Equal(out.Bytes(), b) {
			t.Fatalf("WriteTo: %d bytes of %d, %v", out.Len(), len(b), err)
		}
	})
}
