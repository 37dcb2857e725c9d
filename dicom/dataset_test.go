package dicom

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

var layouts = []uid.UID{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian}

func build(t testing.TB, e *Editor) *DataSet {
	t.Helper()
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// sample is a small object with a nested sequence and numbers of several widths.
func sample(t testing.TB) *DataSet {
	step := build(t, new(DataSet).Edit().SetText(tag.ScheduledProcedureStepID, "SPS1").
		SetText(tag.ScheduledProcedureStepDescription, "Thorax"))
	request := build(t, new(DataSet).Edit().SetText(tag.RequestedProcedureID, "RP1").
		SetItems(tag.ScheduledProtocolCodeSequence, step, step))
	return build(t, new(DataSet).Edit().
		SetUID(tag.SOPClassUID, uid.CTImageStorage).
		SetUID(tag.SOPInstanceUID, "1.2.3.4").
		SetText(tag.PatientName, "Doe^Jane").
		SetText(tag.ImageType, "ORIGINAL", "PRIMARY", "AXIAL").
		SetInt(tag.Rows, 2).SetInt(tag.Columns, 3).
		SetText(tag.PixelSpacing, "0.5", "0.25").
		SetInt(tag.InstanceNumber, 7).
		SetItems(tag.RequestAttributesSequence, request, step).
		SetText(tag.FrameIncrementPointer, "(0018,1063)").
		SetText(tag.RealWorldValueSlope, "1.5").
		SetBytes(tag.PixelData, vr.OW, []byte{1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0}))
}

func TestTypedAccess(t *testing.T) {
	for _, syntax := range layouts {
		b, err := AppendEncode(nil, sample(t), syntax)
		if err != nil {
			t.Fatal(err)
		}
		ds, err := DecodeBytes(b, DecodeOptions{Syntax: syntax, OnFlaw: Strict})
		if err != nil {
			t.Fatalf("%s: %v", syntax.Name(), err)
		}
		checkSample(t, ds)
	}
}

func checkSample(t *testing.T, ds *DataSet) {
	t.Helper()
	for expr, want := range map[string]string{
		"PatientName": "Doe^Jane",
		"SOPClassUID": string(uid.CTImageStorage),
		"ImageType":   `ORIGINAL\PRIMARY\AXIAL`,
		"Rows":        "2",
		"PixelData":   `1\2\3\4\5\6`,
		"RequestAttributesSequence[0].RequestedProcedureID":                    "RP1",
		"RequestAttributesSequence.ScheduledProtocolCodeSequence[1].0040,0007": "Thorax",
		"RequestAttributesSequence[1].ScheduledProcedureStepID":                "SPS1",
		"FrameIncrementPointer": "(0018,1063)",
		"RealWorldValueSlope":   "1.5",
		"RequestAttributesSequence[0].ScheduledProtocolCodeSequence[0].ScheduledProcedureStepDescription": "Thorax",
	} {
		e, ok, err := ds.Find(expr)
		if got := strings.Join(e.textsOrNone(ok), `\`); err != nil || got != want {
			t.Errorf("%s = %q, want %q (%v)", expr, got, want, err)
		}
	}
	if n, err := ds.Int(tag.InstanceNumber); n != 7 || err != nil {
		t.Errorf("InstanceNumber = %d, %v", n, err)
	}
	if f, err := ds.Float(tag.PixelSpacing); f != 0.5 || err != nil {
		t.Errorf("PixelSpacing = %v, %v", f, err)
	}
	if _, err := ds.Int(tag.PatientID); err == nil {
		t.Error("an absent element has a number")
	}
}

func (e Element) textsOrNone(ok bool) []string {
	if !ok {
		return nil
	}
	return e.Texts()
}

func TestEditKeepsWhatItDoesNotTouch(t *testing.T) {
	for _, syntax := range layouts {
		b, _ := AppendEncode(nil, sample(t), syntax)
		ds, err := DecodeBytes(b, DecodeOptions{Syntax: syntax})
		if err != nil {
			t.Fatal(err)
		}
		path, at, err := ParsePath("RequestAttributesSequence[0].ScheduledProtocolCodeSequence[1].ScheduledProcedureStepID")
		if err != nil {
			t.Fatal(err)
		}
		e := ds.Edit().SetText(tag.PatientName, "Roe^Richard").Delete(tag.ImageType)
		e.At(path).SetText(at, "OTHER")
		got := build(t, e)
		if got.Text(tag.PatientName) != "Roe^Richard" || got.Has(tag.ImageType) || ds.Text(tag.PatientName) != "Doe^Jane" {
			t.Errorf("%s: edit went wrong", syntax.Name())
		}
		if el, _, _ := got.Find("RequestAttributesSequence[0].ScheduledProtocolCodeSequence[1].ScheduledProcedureStepID"); el.Text() != "OTHER" {
			t.Errorf("%s: lifted item has %q", syntax.Name(), el.Text())
		}
		if el, _, _ := got.Find("RequestAttributesSequence[0].ScheduledProtocolCodeSequence[0].ScheduledProcedureStepID"); el.Text() != "SPS1" {
			t.Errorf("%s: its neighbour has %q", syntax.Name(), el.Text())
		}
		for _, to := range layouts {
			again, err := AppendEncode(nil, got, to)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := DecodeBytes(again, DecodeOptions{Syntax: to, OnFlaw: Strict}); err != nil {
				t.Errorf("%s edited, as %s: %v", syntax.Name(), to.Name(), err)
			}
		}
	}
}

func TestBulkStaysOutside(t *testing.T) {
	pixels := bytes.Repeat([]byte{1, 2, 3, 4}, 50_000)
	ds := build(t, sample(t).Edit().SetBytes(tag.PixelData, vr.OW, pixels).SetBytes(tag.DataSetTrailingPadding, vr.OB, []byte("x")))
	b, _ := AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	got, err := DecodeAt(bytes.NewReader(b), int64(len(b)), DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
	if err != nil {
		t.Fatal(err)
	}
	px, _ := got.Get(tag.PixelData)
	bulk, ok := px.Bulk()
	if !ok || bulk.Size() != int64(len(pixels)) || px.Bytes() != nil || len(got.st.buf) > 4096 {
		t.Fatalf("pixel data in memory: %v, buffer of %d", ok, len(got.st.buf))
	}
	edited := build(t, got.Edit().SetText(tag.PatientID, "4711"))
	for _, syntax := range layouts {
		checkBulk(t, edited, syntax, pixels)
	}
}

func checkBulk(t *testing.T, ds *DataSet, syntax uid.UID, pixels []byte) {
	t.Helper()
	var w bytes.Buffer
	if err := Encode(&w, ds, syntax); err != nil {
		t.Fatal(err)
	}
	r, size, err := NewReader(ds, syntax)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := io.ReadAll(r); err != nil || size != int64(len(read)) || !bytes.Equal(read, w.Bytes()) {
		t.Errorf("%s: NewReader gives %d of %d bytes, %v", syntax.Name(), len(read), size, err)
	}
	again, err := DecodeBytes(w.Bytes(), DecodeOptions{Syntax: syntax})
	if err != nil {
		t.Fatal(err)
	}
	px, _ := again.Get(tag.PixelData)
	got := append([]byte(nil), px.Bytes()...)
	if syntax == uid.ExplicitVRBigEndian {
		swap(got, 2)
	}
	if !bytes.Equal(got, pixels) || again.Text(tag.PatientID) != "4711" {
		t.Errorf("%s: pixel data changed", syntax.Name())
	}
}

func TestNewDataSetWithTextBecomesUTF8(t *testing.T) {
	ds := build(t, new(DataSet).Edit().SetText(tag.PatientName, "Müller^Jürgen"))
	if ds.Text(tag.SpecificCharacterSet) != "ISO_IR 192" || ds.Text(tag.PatientName) != "Müller^Jürgen" {
		t.Errorf("%q in %q", ds.Text(tag.PatientName), ds.Text(tag.SpecificCharacterSet))
	}
}

func TestItemInheritsCharset(t *testing.T) {
	latin := build(t, new(DataSet).Edit().SetText(tag.SpecificCharacterSet, "ISO_IR 100").SetText(tag.CodeMeaning, "Schädel"))
	ds := build(t, new(DataSet).Edit().SetText(tag.SpecificCharacterSet, "ISO_IR 192").
		SetText(tag.PatientName, "山田").SetItems(tag.ProcedureCodeSequence, latin))
	item, _ := ds.Item(tag.ProcedureCodeSequence, 0)
	if got := item.Text(tag.CodeMeaning); got != "Schädel" {
		t.Errorf("item text %q", got)
	}
	bare := build(t, new(DataSet).Edit().SetText(tag.SpecificCharacterSet, "ISO_IR 100").
		SetItems(tag.ProcedureCodeSequence, build(t, new(DataSet).Edit().SetBytes(tag.CodeMeaning, vr.LO, []byte("Sch\xe4del ")))))
	item, _ = bare.Item(tag.ProcedureCodeSequence, 0)
	if got := item.Text(tag.CodeMeaning); got != "Schädel" {
		t.Errorf("inherited: %q", got)
	}
}

func TestLimits(t *testing.T) {
	deep := bytes.Repeat([]byte{0x08, 0, 0x40, 0x11, 'S', 'Q', 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff}, 100_000)
	many := bytes.Repeat([]byte{0x08, 0, 0x05, 0, 'C', 'S', 0, 0}, 1000)
	for name, c := range map[string]struct {
		b     []byte
		lim   Limits
		limit string
	}{
		"depth":    {deep, Limits{}, "MaxDepth"},
		"elements": {many, Limits{MaxElements: 100}, "MaxElements"},
	} {
		_, err := DecodeBytes(c.b, DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, Limits: c.lim})
		var limit *LimitError
		if !errors.As(err, &limit) || limit.Limit != c.limit {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLyingLengthCostsNothing(t *testing.T) {
	b := []byte{0x10, 0, 0x10, 0, 'U', 'T', 0, 0, 0xfe, 0xff, 0xff, 0xff, 'x'}
	allocated := testing.Benchmark(func(b2 *testing.B) {
		for range b2.N {
			ds, err := Decode(bytes.NewReader(b), DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, Limits: Limits{MaxValue: -1}})
			if _, limit := err.(*LimitError); !limit && ds.Len() != 1 {
				b2.Fatal(ds.Len(), err)
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 1<<20 {
		t.Errorf("%d bytes allocated for a 4 GiB length with one byte behind it", allocated)
	}
}

func TestFlaws(t *testing.T) {
	le := uid.ExplicitVRLittleEndian
	for name, c := range map[string]struct {
		b    string
		want FlawKind
	}{
		"truncated":     {"\x10\x00\x10\x00PN\x08\x00Doe", FlawTruncated},
		"order":         {"\x10\x00\x20\x00LO\x02\x0012\x10\x00\x10\x00PN\x02\x00AB", FlawOrder},
		"duplicate":     {"\x10\x00\x20\x00LO\x02\x0012\x10\x00\x20\x00LO\x02\x00AB", FlawDuplicate},
		"odd":           {"\x10\x00\x20\x00LO\x03\x00123", FlawOddLength},
		"unknown VR":    {"\x10\x00\x20\x00ZZ\x00\x00\x02\x00\x00\x0012", FlawUnknownVR},
		"no delimiter":  {"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff", FlawNoDelimiter},
		"stray":         {"\xfe\xff\xdd\xe0\x00\x00\x00\x00\x10\x00\x20\x00LO\x02\x0012", FlawStrayDelimiter},
		"not an item":   {"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\x10\x00\x20\x00LO\x02\x0012", FlawNotItem},
		"overrun":       {"\x08\x00\x40\x11SQ\x00\x00\x12\x00\x00\x00\xfe\xff\x00\xe0\x0a\x00\x00\x00\x10\x00\x20\x00LO\x09\x0012345678", FlawOverrun},
		"trailing":      {"\x10\x00\x20\x00LO\x02\x0012abc", FlawTrailing},
		"implicit":      {"\x10\x00\x20\x00\x02\x00\x00\x0012", FlawMixedVR},
		"long delim":    {"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\xdd\xe0\x01\x00\x00\x00", FlawDelimiterLength},
		"VR no letters": {"\x10\x00\x20\x00LO\x02\x0012\x10\x00\x30\x00\x02\x00\x00\x0012", FlawBadVR},
	} {
		ds, err := DecodeBytes([]byte(c.b), DecodeOptions{Syntax: le})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		found := false
		for _, f := range ds.Flaws() {
			found = found || f.Kind == c.want
		}
		if !found {
			t.Errorf("%s: flaws %v, want %v", name, ds.Flaws(), c.want)
		}
		var out bytes.Buffer
		if err := Encode(&out, ds, le); err != nil || !strings.HasPrefix(c.b, out.String()) {
			t.Errorf("%s: % x came out as % x, %v", name, c.b, out.Bytes(), err)
		}
		if _, err := DecodeBytes([]byte(c.b), DecodeOptions{Syntax: le, OnFlaw: Strict}); err == nil {
			t.Errorf("%s: strict mode accepts it", name)
		}
	}
}

// TestUnknownVRIsReadByTheDictionary reads elements of VR UN that the standard knows.
func TestUnknownVRIsReadByTheDictionary(t *testing.T) {
	ds := build(t, new(DataSet).Edit().SetBytes(tag.SOPClassUID, vr.UN, []byte("1.2.3\x00")).SetBytes(tag.Rows, vr.UN, []byte{2, 1}).
		SetBytes(0x00091001, vr.UN, []byte{7, 8}))
	if n, err := ds.Int(tag.Rows); ds.UID(tag.SOPClassUID) != "1.2.3" || n != 258 || err != nil || ds.Text(0x00091001) != "7" {
		t.Errorf("%q %d %v %q", ds.UID(tag.SOPClassUID), n, err, ds.Text(0x00091001))
	}
	if e, _ := ds.Get(tag.Rows); e.VR != vr.UN {
		t.Errorf("the VR of the data set is %v", e.VR)
	}
}
