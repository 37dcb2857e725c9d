package dicom

import (
	"bytes"
	"testing"

	"gantry/dicom/tag"
)

// FuzzDecode holds that no bytes make decoding panic, that the ways in agree, and that
// what was decoded comes out again bit for bit.
func FuzzDecode(f *testing.F) {
	for i, syntax := range layouts {
		b, err := AppendEncode(nil, sample(f), syntax)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(i))
	}
	f.Add([]byte("\x08\x00\x40\x11UN\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff\x10\x00\x20\x00\x02\x00\x00\x0012"), uint8(1))
	f.Add([]byte("\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x02\x00\x00\x00ab\xfe\xff\xdd\xe0\x00\x00\x00\x00"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, layout uint8) {
		syntax := layouts[int(layout)%len(layouts)]
		o := DecodeOptions{Syntax: syntax, Limits: Limits{MaxElements: 10_000}}
		ds, err := DecodeBytes(b, o)
		visit(ds)
		if err != nil {
			return
		}
		out, err := AppendEncode(nil, ds, syntax)
		if err != nil || !bytes.Equal(out, b[:ds.Size()]) {
			t.Fatalf("% x came out as % x (%v)", b[:ds.Size()], out, err)
		}
		o.BulkMin = 2
		at, err := DecodeAt(bytes.NewReader(b), int64(len(b)), o)
		if err != nil {
			t.Fatalf("DecodeAt: %v", err)
		}
		if got, err := AppendEncode(nil, at, syntax); err != nil || !bytes.Equal(out, got) {
			t.Fatalf("with bulk: % x, want % x (%v)", got, out, err)
		}
		visit(at)
		for _, other := range layouts {
			AppendEncode(nil, at, other)
		}
		if ed, err := at.Edit().SetText(tag.PatientID, "1").Build(); err == nil && ed.Text(tag.PatientID) != "1" {
			t.Fatal("edit lost")
		}
	})
}

func visit(ds *DataSet) {
	for _, e := range ds.Walk() {
		e.Texts()
		e.Int()
		e.Float()
		for i := range e.FragmentCount() {
			e.Fragment(i).Bytes()
		}
	}
}

// FuzzParsePath holds that every path that parses prints as one that leads to the same.
func FuzzParsePath(f *testing.F) {
	f.Add("RequestAttributesSequence[0].ScheduledProcedureStepID")
	f.Add("0040,0275[3].00400009")
	f.Fuzz(func(t *testing.T, s string) {
		p, last, err := ParsePath(s)
		if err != nil || len(p) == 0 {
			return
		}
		q, again, err := ParsePath(p.String() + "." + tagName(last))
		if err != nil || again != last || q.String() != p.String() {
			t.Fatalf("%q: %v %v, again %v %v, %v", s, p, last, q, again, err)
		}
	})
}
