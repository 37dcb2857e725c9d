package index

import (
	"errors"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/record"
)

func build(t testing.TB, f func(*dicom.Editor)) *dicom.DataSet {
	t.Helper()
	e := new(dicom.DataSet).Edit()
	f(e)
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestSearchOf(t *testing.T) {
	item := build(t, func(e *dicom.Editor) { e.SetText(tag.ScheduledProcedureStepID, "S1").SetText(tag.Modality, "") })
	id := build(t, func(e *dicom.Editor) {
		e.SetText(tag.SpecificCharacterSet, "ISO_IR 100").SetText(tag.QueryRetrieveLevel, "STUDY").SetText(tag.PatientName, "Müller*").
			SetText(tag.StudyDate, "20200101-").SetText(tag.StudyTime, "-1200").SetText(tag.PatientID, "").
			SetUID(tag.StudyInstanceUID, "1.1", "1.2").SetItems(tag.RequestAttributesSequence, item).SetItems(tag.ProcedureCodeSequence)
	})
	s, err := SearchOf(Study, id, Options{})
	if err != nil || len(s.Return) != 7 || len(s.Where) != 5 {
		t.Fatalf("%+v, %v", s, err)
	}
	kinds := map[tag.Tag]match.Kind{}
	for _, c := range s.Where {
		kinds[c.Tag] = c.Kind
	}
	for k, want := range map[tag.Tag]match.Kind{tag.PatientName: match.Pattern, tag.StudyDate: match.Range, tag.StudyTime: match.Range,
		tag.StudyInstanceUID: match.Single, tag.RequestAttributesSequence: match.Sequence} {
		if kinds[k] != want {
			t.Errorf("%v: kind %d, want %d", k, kinds[k], want)
		}
	}
	if s, err = SearchOf(Study, id, Options{CombinedDateTime: true}); err != nil || len(s.Where) != 4 || s.Where[3].Kind != match.Moment {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestSearchOfRefuses(t *testing.T) {
	two := build(t, func(e *dicom.Editor) {
		e.SetItems(tag.RequestAttributesSequence, new(dicom.DataSet), new(dicom.DataSet))
	})
	deep := new(dicom.DataSet)
	for range maxNesting + 2 {
		inner := deep
		deep = build(t, func(e *dicom.Editor) { e.SetItems(tag.RequestAttributesSequence, inner) })
	}
	many := build(t, func(e *dicom.Editor) {
		for i := range maxKeys + 1 {
			e.SetBytes(tag.New(0x0018, uint16(0x1000+i)), vr.LO, nil)
		}
	})
	for name, ds := range map[string]*dicom.DataSet{"two items": two, "deep": deep, "many": many} {
		if _, err := SearchOf(Study, ds, Options{}); !errors.Is(err, ErrIdentifier) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLevelOf(t *testing.T) {
	for k, want := range map[tag.Tag]Level{tag.PatientName: Patient, tag.PatientBirthDate: Patient, tag.PatientComments: Patient, tag.PatientAge: Study,
		tag.StudyDate: Study, tag.ModalitiesInStudy: Study, tag.Modality: Series, tag.SeriesNumber: Series, tag.Rows: Image, tag.SOPInstanceUID: Image, tag.New(0x0009, 0x1001): Image} {
		if got := LevelOf(k); got != want {
			t.Errorf("%v is of %v, want %v", k, got, want)
		}
	}
	for l := Patient; l <= Image; l++ {
		if got, ok := ParseLevel(l.String()); !ok || got != l {
			t.Errorf("%v: %v, %v", l, got, ok)
		}
	}
	if _, ok := ParseLevel("FRAME"); ok {
		t.Error("FRAME is no level")
	}
}

// TestKeptIsBounded: large values go, and the longest sequences when all is too much.
func TestKeptIsBounded(t *testing.T) {
	var items []*dicom.DataSet
	for range 200 {
		items = append(items, build(t, func(e *dicom.Editor) { e.SetText(tag.ImageComments, strings.Repeat("x", 1000)) }))
	}
	ref := build(t, func(e *dicom.Editor) { e.SetUID(tag.ReferencedSOPInstanceUID, "1.2.3") })
	refs := build(t, func(e *dicom.Editor) { e.SetItems(tag.ReferencedSOPSequence, ref, ref) })
	ds := build(t, func(e *dicom.Editor) {
		e.SetText(tag.PatientID, "P").SetBytes(tag.New(0x0009, 0x1001), vr.OB, make([]byte, maxValue+1)).
			SetItems(tag.PerFrameFunctionalGroupsSequence, items...).SetItems(tag.ReferencedSeriesSequence, refs)
	})
	e, err := EntryOf(ds, record.Envelope{Coercions: []record.Coercion{{Tag: uint32(tag.PatientName), To: "Right^Name"}}}, record.Stored{})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := Kept(e.Attrs)
	if err != nil || len(e.Attrs) > maxKept || kept.Text(tag.PatientID) != "P" || kept.Has(tag.PerFrameFunctionalGroupsSequence) || kept.Has(tag.New(0x0009, 0x1001)) {
		t.Errorf("%d bytes kept, %v", len(e.Attrs), err)
	}
	if len(e.References) != 1 || e.References[0] != "1.2.3" || e.Name != "Right^Name" || kept.Text(tag.PatientName) != "Right^Name" {
		t.Errorf("%v, %q", e.References, e.Name)
	}
}

// FuzzIdentifier reads hostile queries and asks them of a row.
func FuzzIdentifier(f *testing.F) {
	f.Add([]byte("\x10\x00\x10\x00PN\x04\x00A*^?"))
	f.Add([]byte("\x08\x00\x20\x00DA\x08\x00-2020101\x08\x00\x30\x00TM\x02\x0012"))
	f.Add([]byte("\x40\x00\x75\x02SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"))
	row := &Row{Level: Image, Attrs: build(f, func(e *dicom.Editor) {
		e.SetText(tag.PatientName, "A^B=C").SetText(tag.StudyDate, "20200101").SetText(tag.StudyTime, "1200").SetText(tag.Modality, "CT")
	})}
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
		if err != nil {
			return
		}
		s, err := SearchOf(Image, ds, Options{CombinedDateTime: true})
		if err != nil {
			return
		}
		s.Matches(row)
		if _, _, err := row.Answer(s.Return); err != nil && len(b) < 64 {
			t.Logf("answer: %v", err)
		}
		if _, err := EntryOf(ds, record.Envelope{}, record.Stored{}); err != nil && len(b) < 64 {
			t.Logf("entry: %v", err)
		}
	})
}

// TestAnswerOfBrokenText: an object with bytes that are no text still answers.
func TestAnswerOfBrokenText(t *testing.T) {
	for _, set := range []string{"", "ISO_IR 192", "ISO_IR 100", `\ISO 2022 IR 87`, "nonsense"} {
		ds := build(t, func(e *dicom.Editor) {
			e.SetBytes(tag.SpecificCharacterSet, vr.CS, []byte(set)).SetBytes(tag.PatientName, vr.PN, []byte("\xff\xfe\x1b$B\x00^A")).
				SetBytes(tag.PatientID, vr.LO, []byte("\x80\x81")).SetBytes(tag.StudyDate, vr.DA, []byte("\xff")).SetText(tag.StudyDescription, "fine")
		})
		r := &Row{Level: Study, Attrs: ds}
		got, _, err := r.Answer([]tag.Tag{tag.PatientName, tag.PatientID, tag.StudyDate, tag.StudyDescription})
		if err != nil || got.Text(tag.StudyDescription) != "fine" || got.Text(tag.PatientName) == "" {
			t.Errorf("%q: %v, %v", set, got, err)
		}
	}
}
