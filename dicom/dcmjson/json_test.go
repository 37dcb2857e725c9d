package dcmjson

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

func build(t testing.TB, e *dicom.Editor) *dicom.DataSet {
	t.Helper()
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func encode(t testing.TB, ds *dicom.DataSet, o EncodeOptions) string {
	t.Helper()
	var b strings.Builder
	if err := Encode(&b, ds, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestForms holds every VR to its form (PS3.18 F.2.3 to F.2.7).
func TestForms(t *testing.T) {
	le := binary.LittleEndian
	nan := le.AppendUint64(le.AppendUint64(nil, math.Float64bits(math.NaN())), math.Float64bits(math.Inf(-1)))
	edit := func() *dicom.Editor { return new(dicom.DataSet).Edit() }
	for _, c := range []struct {
		e    *dicom.Editor
		want string
	}{
		{edit(), `{}`},
		{edit().SetText(tag.PatientName), `{"00100010":{"vr":"PN"}}`},
		{edit().SetText(tag.PatientName, "A^B"), `{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B"}]}}`},
		{edit().SetText(tag.PatientName, "A==P", ""), `{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A","Phonetic":"P"},null]}}`},
		{edit().SetText(tag.ImageType, "A", "", "B"), `{"00080008":{"vr":"CS","Value":["A",null,"B"]}}`},
		{edit().SetText(tag.PatientComments, "a\\\"b\n\x01"), `{"00104000":{"vr":"LT","Value":["a\\\"b\n\u0001"]}}`},
		{edit().SetText(tag.PixelSpacing, "+01.50", ".5"), `{"00280030":{"vr":"DS","Value":[1.50,0.5]}}`},
		{edit().SetText(tag.PixelSpacing, "1e", "7 m"), `{"00280030":{"vr":"DS","Value":["1e","7 m"]}}`},
		{edit().SetText(tag.InstanceNumber, "-007"), `{"00200013":{"vr":"IS","Value":[-7]}}`},
		{edit().SetInt(tag.Rows, 512), `{"00280010":{"vr":"US","Value":[512]}}`},
		{edit().SetText(tag.FrameIncrementPointer, "0018,1063"), `{"00280009":{"vr":"AT","Value":["00181063"]}}`},
		{edit().SetBytes(0x00091010, vr.FD, nan), `{"00091010":{"vr":"FD","Value":["NaN","-Infinity"]}}`},
		{edit().SetBytes(0x00091010, vr.UV, le.AppendUint64(le.AppendUint64(nil, 1<<53), 7)), `{"00091010":{"vr":"UV","Value":["9007199254740992",7]}}`},
		{edit().SetBytes(0x00091010, vr.SV, le.AppendUint64(nil, 1<<63)), `{"00091010":{"vr":"SV","Value":["-9223372036854775808"]}}`},
		{edit().SetBytes(tag.PixelData, vr.OW, []byte{1, 2, 3, 4}), `{"7FE00010":{"vr":"OW","InlineBinary":"AQIDBA=="}}`},
		{edit().SetItems(tag.ProcedureCodeSequence, build(t, edit()), build(t, edit().SetText(tag.CodeValue, "X"))),
			`{"00081032":{"vr":"SQ","Value":[{},{"00080100":{"vr":"SH","Value":["X"]}}]}}`},
		{edit().SetItems(tag.ProcedureCodeSequence), `{"00081032":{"vr":"SQ"}}`},
		{edit().SetText(tag.SpecificCharacterSet, "ISO_IR 100").SetText(tag.PatientID, "ü"),
			`{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00100020":{"vr":"LO","Value":["ü"]}}`},
		{edit().SetText(tag.SpecificCharacterSet, "ISO_IR 6"), `{"00080005":{"vr":"CS","Value":["ISO_IR 6"]}}`},
		{edit().SetBytes(tag.LengthToEnd, vr.UL, []byte{1, 0, 0, 0}).SetBytes(tag.PatientID, vr.LO, []byte("\xfc")),
			`{"00080001":{"vr":"UL","Value":[1]},"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00100020":{"vr":"LO","Value":["ü"]}}`},
		{edit().SetText(0x00090010, "ACME").SetBytes(0x00091001, vr.UN, []byte{9, 9}).SetBytes(0x00090000, vr.UL, []byte{1, 0, 0, 0}),
			`{"00090010":{"vr":"LO","Value":["ACME"]},"00091001":{"vr":"UN","InlineBinary":"CQk="}}`},
	} {
		ds := build(t, c.e)
		got := encode(t, ds, EncodeOptions{})
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		again, err := Decode(strings.NewReader(got), DecodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", got, err)
		} else if d := model.Difference(ds, again); d != "" {
			t.Errorf("%s: %s", got, d)
		}
		var pretty bytes.Buffer
		json.Indent(&pretty, []byte(got), "", " ")
		pretty.WriteByte('\n')
		if s := encode(t, ds, EncodeOptions{Indent: " "}); s != pretty.String() {
			t.Errorf("indented %s", s)
		}
	}
}

// TestBigEndian writes numbers of a big endian data set in little endian.
func TestBigEndian(t *testing.T) {
	ds := build(t, new(dicom.DataSet).Edit().SetInt(tag.Rows, 258).SetBytes(tag.PixelData, vr.OW, []byte{1, 2, 3, 4}))
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRBigEndian)
	if err != nil {
		t.Fatal(err)
	}
	big, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: uid.ExplicitVRBigEndian})
	if err != nil {
		t.Fatal(err)
	}
	if s := encode(t, big, EncodeOptions{}); s != encode(t, ds, EncodeOptions{}) {
		t.Error(s)
	}
}

// TestPlace puts values elsewhere and finds them again.
func TestPlace(t *testing.T) {
	long := bytes.Repeat([]byte{1, 2}, 50_000)
	item := build(t, new(dicom.DataSet).Edit().SetBytes(tag.EncapsulatedDocument, vr.OB, long))
	ds := build(t, new(dicom.DataSet).Edit().SetText(tag.PatientID, "1").SetItems(tag.IconImageSequence, item).
		SetBytes(tag.RedPaletteColorLookupTableData, vr.OW, []byte{1, 2}).SetBytes(tag.PixelData, vr.OW, long))
	kept := map[string]dicom.Element{}
	s := encode(t, ds, EncodeOptions{Place: func(p dicom.Path, e dicom.Element) (model.Placement, string) {
		if e.Tag == tag.RedPaletteColorLookupTableData {
			return model.LeftOut, ""
		}
		uri := "file:///" + p.String() + e.Tag.String()
		kept[uri] = e
		return model.ByURI, uri
	}})
	if strings.Contains(s, "00281201") || strings.Contains(s, "InlineBinary") || strings.Count(s, "BulkDataURI") != 2 {
		t.Fatal(s)
	}
	again, err := Decode(strings.NewReader(s), DecodeOptions{Resolve: func(_ dicom.Path, _ tag.Tag, _ vr.VR, uri string) (dicom.Bulk, error) {
		return kept[uri].Reader(), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if d := model.Difference(build(t, ds.Edit().Delete(tag.RedPaletteColorLookupTableData)), again); d != "" {
		t.Error(d)
	}
	if e, _ := again.Get(tag.PixelData); e.Bytes() != nil {
		t.Error("a long value was read into memory")
	}
	none, err := Decode(strings.NewReader(s), DecodeOptions{Resolve: func(dicom.Path, tag.Tag, vr.VR, string) (dicom.Bulk, error) { return nil, nil }})
	if err != nil || none.Has(tag.PixelData) || !none.Has(tag.PatientID) {
		t.Error("not left out", err)
	}
	gone := errors.New("gone")
	_, err = Decode(strings.NewReader(s), DecodeOptions{Resolve: func(dicom.Path, tag.Tag, vr.VR, string) (dicom.Bulk, error) { return nil, gone }})
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "IconImageSequence[0].(0042,0011)") {
		t.Error(err)
	}
}

// TestEncapsulated keeps fragments apart.
func TestEncapsulated(t *testing.T) {
	raw := []byte("\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x02\x00\x00\x00ab\xfe\xff\xdd\xe0\x00\x00\x00\x00")
	ds, err := dicom.DecodeBytes(raw, dicom.DecodeOptions{Syntax: uid.JPEGBaseline8Bit})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(strings.NewReader(encode(t, ds, EncodeOptions{})), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := again.Get(tag.PixelData)
	if e.FragmentCount() != 2 || string(e.Fragment(1).Bytes()) != "ab" {
		t.Errorf("%d fragments", e.FragmentCount())
	}
}

// TestLenient reads what other writers make.
func TestLenient(t *testing.T) {
	for doc, want := range map[string]string{
		`{"00280010":{"Value":[512],"vr":"US"}}`:                                                    `{"00280010":{"vr":"US","Value":[512]}}`,
		`{"00091001":{"Value":[{"00100020":{"Value":["1"],"vr":"LO"}}],"vr":"SQ"}}`:                 `{"00091001":{"vr":"SQ","Value":[{"00100020":{"vr":"LO","Value":["1"]}}]}}`,
		`[ {"00280010":{"vr":"US","Value":["512"]}} ]`:                                              `{"00280010":{"vr":"US","Value":[512]}}`,
		`{"00280011":{"vr":"US","Value":[1.0]},"00280010":{"vr":"US","Value":[2e0],"x":[{"y":1}]}}`: `{"00280010":{"vr":"US","Value":[2]},"00280011":{"vr":"US","Value":[1]}}`,
		`{"00100020":{"Value":["\u00fc\ud83d\ude00\/"]}}`:                                           `{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00100020":{"vr":"LO","Value":["ü😀/"]}}`,
		`{"00080005":{"vr":"CS"},"00100020":{"vr":"LO","Value":["ü"]}}`:                             `{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00100020":{"vr":"LO","Value":["ü"]}}`,
		`{"00080005":{"vr":"CS","Value":[null,"ISO 2022 IR 87"]}}`:                                  `{"00080005":{"vr":"CS","Value":["ISO_IR 192"]}}`,
		`{"7fe00010":{"vr":"OB","InlineBinary":"AQ\/\/\nAQ=="}}`:                                    `{"7FE00010":{"vr":"OB","InlineBinary":"AQ//AQ=="}}`,
		`{"00081032":{"vr":"SQ","Value":[null]}}`:                                                   `{"00081032":{"vr":"SQ","Value":[{}]}}`,
		`{"00100010":{"vr":"PN","Value":["A^B",{"Phonetic":null}]}}`:                                `{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B"},null]}}`,
	} {
		ds, err := Decode(strings.NewReader(doc), DecodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		if got := encode(t, ds, EncodeOptions{}); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", doc, got, want)
		}
	}
}

// TestRefused gives documents that are wrong, and what the error must say.
func TestRefused(t *testing.T) {
	deep := strings.Repeat(`{"00081032":{"vr":"SQ","Value":[`, 70) + strings.Repeat(`]}}`, 70)
	small := dicom.Limits{MaxValue: 100, MaxElements: 10}
	for doc, want := range map[string]string{
		``:                         "no data set",
		`{`:                        "too early",
		`{} {}`:                    "more than one",
		`{"0010":{"vr":"LO"}}`:     "eight hexadecimal",
		`{"00100020":{"vr":"XX"}}`: "XX",
		`{"00280010":{"vr":"US","Value":[70000]}}`:                                     "(0028,0010) at byte",
		`{"00280010":{"vr":"US","Value":[null]}}`:                                      "no value of VR US",
		`{"00100020":{"vr":"LO","Value":[{}]}}`:                                        "belongs",
		`{"00100020":{"vr":"LO","Value":["a`:                                           "too early",
		`{"00100020":{"vr":"LO","InlineBinary":""}}`:                                   "no meaning",
		`{"00100020":{"vr":"LO","Value":[],"BulkDataURI":"x"}}`:                        "both",
		`{"00420011":{"vr":"OB","BulkDataURI":"x"}}`:                                   "Resolve",
		`{"00420011":{"vr":"OB","InlineBinary":"A*=="}}`:                               "base64",
		`{"00100020":{"vr":"LO"},"00100020":{"vr":"LO"}}`:                              "twice",
		`{"00081032":{"vr":"SQ","Value":[{},{"00080100":{"vr":"SH","Value":1}}]}}`:     "ProcedureCodeSequence[1].(0008,0100)",
		`{"00100020":{"vr":"LO","Value":["` + strings.Repeat("x", 101) + `"]}}`:        "100 bytes",
		`{"00420011":{"vr":"OB","InlineBinary":"` + strings.Repeat("AAAA", 40) + `"}}`: "MaxValue",
		`{"00081032":{"vr":"SQ","Value":[{},{},{},{},{},{},{},{},{},{}]}}`:             "MaxElements",
		deep: "MaxDepth",
		`{"00100020":{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`: "too deep",
	} {
		l := small
		if doc == deep {
			l.MaxElements = 1000
		}
		_, err := Decode(strings.NewReader(doc), DecodeOptions{Limits: l})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100s: %v, want %q", doc, err, want)
		}
	}
}

func TestDecoder(t *testing.T) {
	d := NewDecoder(strings.NewReader(`[{"00020010":{"vr":"UI","Value":["1.2.840.10008.1.2"]},"00100020":{"vr":"LO","Value":["1"]}}, {}]`), DecodeOptions{})
	one, err := d.Decode()
	if err != nil || one.Text(tag.PatientID) != "1" || one.Has(tag.TransferSyntaxUID) || d.Meta().UID(tag.TransferSyntaxUID) != uid.ImplicitVRLittleEndian {
		t.Errorf("%v %v", one, err)
	}
	two, err := d.Decode()
	if err != nil || two.Len() != 0 {
		t.Errorf("%v %v", two, err)
	}
	if _, err = d.Decode(); err != io.EOF {
		t.Error(err)
	}
}

// FuzzDecode reads anything. What can be read must be written and read to the same again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`[{"00081032":{"vr":"SQ","Value":[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A"}]}}]}}]`))
	f.Add([]byte(`{"00280010":{"Value":[512],"vr":"US"},"7FE00010":{"vr":"OW","InlineBinary":"AQID"}}`))
	f.Add([]byte(`{"00080005":{"vr":"CS","Value":["ISO_IR 100"]},"00100020":{"vr":"LO","Value":["\u00fc",null]}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		ds, err := Decode(bytes.NewReader(doc), DecodeOptions{Limits: dicom.Limits{MaxValue: 1 << 20, MaxElements: 10_000}})
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Encode(&b, ds, EncodeOptions{}); err != nil {
			t.Fatal(err)
		}
		again, err := Decode(bytes.NewReader(b.Bytes()), DecodeOptions{})
		if err != nil {
			t.Fatalf("%s: %v", b.Bytes(), err)
		}
		if d := model.Difference(ds, again); d != "" {
			t.Fatalf("%s: %s", b.Bytes(), d)
		}
	})
}
