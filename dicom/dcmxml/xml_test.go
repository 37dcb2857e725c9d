package dcmxml

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

const (
	head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">` + "\n"
	tail = "</NativeDicomModel>\n"
)

// TestForms holds values to their form (PS3.19 A.1.5), and reads them again.
func TestForms(t *testing.T) {
	edit := func() *dicom.Editor { return new(dicom.DataSet).Edit() }
	item, _ := edit().SetText(tag.CodeValue, "X").Build()
	inf := binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.Inf(1))))
	for _, c := range []struct {
		e    *dicom.Editor
		want string
	}{
		{edit(), ""},
		{edit().SetText(tag.PatientName, "A^B^^Dr=^Y"), `<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1"><Alphabetic>` +
			`<FamilyName>A</FamilyName><GivenName>B</GivenName><NamePrefix>Dr</NamePrefix></Alphabetic><Ideographic><GivenName>Y</GivenName></Ideographic></PersonName></DicomAttribute>` + "\n"},
		{edit().SetText(tag.ImageType, "<A>", "", "B"), `<DicomAttribute tag="00080008" vr="CS" keyword="ImageType"><Value number="1">&lt;A&gt;</Value><Value number="2"></Value><Value number="3">B</Value></DicomAttribute>` + "\n"},
		{edit().SetBytes(0x00090010, vr.LO, []byte("ACME")).SetBytes(0x00091001, vr.FL, inf),
			`<DicomAttribute tag="00090010" vr="LO"><Value number="1">ACME</Value></DicomAttribute>` + "\n" +
				`<DicomAttribute tag="00090001" vr="FL" privateCreator="ACME"><Value number="1">Infinity</Value></DicomAttribute>` + "\n"},
		{edit().SetBytes(0x00090010, vr.LO, []byte("ACME")).SetBytes(0x00090011, vr.LO, []byte("ACME")).SetBytes(0x00091101, vr.UN, []byte{1, 2}),
			`<DicomAttribute tag="00090010" vr="LO"><Value number="1">ACME</Value></DicomAttribute>` + "\n" +
				`<DicomAttribute tag="00090011" vr="LO"><Value number="1">ACME</Value></DicomAttribute>` + "\n" +
				`<DicomAttribute tag="00091101" vr="UN"><InlineBinary>AQI=</InlineBinary></DicomAttribute>` + "\n"},
		{edit().SetItems(tag.ProcedureCodeSequence, item), `<DicomAttribute tag="00081032" vr="SQ" keyword="ProcedureCodeSequence">` + "\n" + `<Item number="1">` + "\n" +
			`<DicomAttribute tag="00080100" vr="SH" keyword="CodeValue"><Value number="1">X</Value></DicomAttribute>` + "\n</Item>\n</DicomAttribute>\n"},
		{edit().SetText(tag.SpecificCharacterSet, "ISO_IR 100").SetText(tag.PatientID, "ü"),
			`<DicomAttribute tag="00080005" vr="CS" keyword="SpecificCharacterSet"><Value number="1">ISO_IR 192</Value></DicomAttribute>` + "\n" +
				`<DicomAttribute tag="00100020" vr="LO" keyword="PatientID"><Value number="1">ü</Value></DicomAttribute>` + "\n"},
	} {
		ds, err := c.e.Build()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := Encode(&b, ds, EncodeOptions{}); err != nil {
			t.Fatal(err)
		}
		if b.String() != head+c.want+tail {
			t.Errorf("got  %s\nwant %s", b.String(), c.want)
		}
		_, again, err := Decode(strings.NewReader(b.String()), DecodeOptions{})
		if err != nil {
			t.Error(err)
		} else if d := model.Difference(ds, again); d != "" {
			t.Error(d)
		}
	}
}

// TestLenient reads what other writers make.
func TestLenient(t *testing.T) {
	doc := `<?xml version="1.0" encoding="ISO-8859-1"?><NativeDicomModel><!-- x -->
<DicomAttribute tag="00090001" vr="LO" privateCreator="NEW"><Value number="1">v</Value></DicomAttribute>
<DicomAttribute tag="00080008" vr="CS"><Value number="3">C</Value></DicomAttribute>
<DicomAttribute tag="00100020" vr="LO"><Value>` + "\xfc" + `</Value></DicomAttribute>
<DicomAttribute tag="7FE00010" vr="OB"><BulkData uuid="1-2"/></DicomAttribute>
<DicomAttribute tag="00020010" vr="UI"><Value>1.2.840.10008.1.2</Value></DicomAttribute></NativeDicomModel>`
	meta, ds, err := Decode(strings.NewReader(doc), DecodeOptions{Resolve: func(_ dicom.Path, _ tag.Tag, _ vr.VR, uri string) (dicom.Bulk, error) {
		if uri != "urn:uuid:1-2" {
			t.Error(uri)
		}
		return bytes.NewReader([]byte{1, 2}), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	px, _ := ds.Get(tag.PixelData)
	if ds.Text(0x00090010) != "NEW" || ds.Text(0x00091001) != "v" || strings.Join(ds.Texts(tag.ImageType), "|") != "||C" ||
		ds.Text(tag.PatientID) != "ü" || px.Len() != 2 || meta.Text(tag.TransferSyntaxUID) != "1.2.840.10008.1.2" {
		t.Errorf("%q %q", ds.Texts(tag.ImageType), ds.Text(tag.PatientID))
	}
}

// TestRefused gives documents that are wrong, and what the error must say.
func TestRefused(t *testing.T) {
	a := func(s string) string { return `<DicomAttribute tag="00100020" vr="LO">` + s + `</DicomAttribute>` }
	q := func(s string) string { return `<DicomAttribute tag="00081032" vr="SQ">` + s + `</DicomAttribute>` }
	deep := strings.Repeat(`<DicomAttribute tag="00081032" vr="SQ"><Item>`, 70) + strings.Repeat(`</Item></DicomAttribute>`, 70)
	for body, want := range map[string]string{
		`<Value/>`:                                 "does not belong",
		a(`<Value>`):                               "syntax error",
		a(`<Value number="0"/>`):                   "number",
		a(`<Value number="99999999"/>`):            "number",
		a(`<Item number="1"/>`):                    "no meaning",
		a(`<InlineBinary/>`):                       "no meaning",
		a(`<Value/><PersonName/>`):                 "both",
		a(`<BulkData uri="x"/>`):                   "Resolve",
		a(``) + a(``):                              "twice",
		q(`<Item><Value/></Item>`):                 "ProcedureCodeSequence[0]",
		q(`<BulkData uri="x"/>`):                   "Resolve",
		`<DicomAttribute tag="0010" vr="LO"/>`:     "eight",
		`<DicomAttribute tag="00100020" vr="QQ"/>`: "VR",
		`<DicomAttribute tag="00280010" vr="US"><Value>x</Value></DicomAttribute>`:               "no value of VR US",
		`<DicomAttribute tag="00420011" vr="OB"><InlineBinary>*</InlineBinary></DicomAttribute>`: "base64",
		a(`<Value>` + strings.Repeat("x", 2000) + `</Value>`):                                    "MaxValue",
		deep: "MaxDepth",
	} {
		_, _, err := Decode(strings.NewReader("<NativeDicomModel>"+body+"</NativeDicomModel>"), DecodeOptions{Limits: dicom.Limits{MaxValue: 1000}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100s: %v, want %q", body, err, want)
		}
	}
	for doc, want := range map[string]string{"": "too early", "<html/>": "where NativeDicomModel", "<NativeDicomModel/><x/>": "behind",
		`<?xml version="1.0" encoding="KOI8-R"?><NativeDicomModel/>`: "KOI8-R", "<NativeDicomModel>" + strings.Repeat(" ", 2<<20): "more than"} {
		_, _, err := Decode(strings.NewReader(doc), DecodeOptions{Limits: dicom.Limits{MaxValue: 1000}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.100s: %v, want %q", doc, err, want)
		}
	}
}

// FuzzDecode reads anything. What can be read must be written and read to the same again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`<NativeDicomModel><DicomAttribute tag="00081032" vr="SQ"><Item number="1"><DicomAttribute tag="00100010" vr="PN"><PersonName><Alphabetic><FamilyName>A</FamilyName></Alphabetic></PersonName></DicomAttribute></Item></DicomAttribute></NativeDicomModel>`))
	f.Add([]byte(`<NativeDicomModel><DicomAttribute tag="00090001" vr="OW" privateCreator="X"><InlineBinary>AQI=</InlineBinary></DicomAttribute></NativeDicomModel>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		_, ds, err := Decode(bytes.NewReader(doc), DecodeOptions{Limits: dicom.Limits{MaxValue: 1 << 20, MaxElements: 10_000}})
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Encode(&b, ds, EncodeOptions{}); err != nil {
			t.Fatal(err)
		}
		_, again, err := Decode(bytes.NewReader(b.Bytes()), DecodeOptions{})
		if err != nil {
			t.Fatalf("%s: %v", b.Bytes(), err)
		}
		if d := model.Difference(ds, again); d != "" {
			t.Fatalf("%s: %s", b.Bytes(), d)
		}
	})
}

func ExampleEncode() {
	ds, err := new(dicom.DataSet).Edit().SetInt(tag.Rows, 512).Build()
	if err != nil {
		panic(err)
	}
	if err := Encode(os.Stdout, ds, EncodeOptions{Fragment: true}); err != nil {
		panic(err)
	}
	// Output:
	// <NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">
	// <DicomAttribute tag="00280010" vr="US" keyword="Rows"><Value number="1">512</Value></DicomAttribute>
	// </NativeDicomModel>
}
