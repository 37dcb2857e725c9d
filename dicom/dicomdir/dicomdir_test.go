package dicomdir_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/dicomdir"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
)

const le = uid.ExplicitVRLittleEndian

// object is a made-up CT image with all that records need.
func object(t testing.TB, n int, change ...func(*dicom.Editor)) *dicom.DataSet {
	t.Helper()
	ds, err := dicomtest.Object{N: n}.DataSet()
	if err != nil {
		t.Fatal(err)
	}
	e := ds.Edit()
	for _, k := range []struct {
		t tag.Tag
		v string
	}{{tag.StudyID, "S1"}, {tag.StudyDate, "20260131"}, {tag.StudyTime, "101500"}, {tag.SeriesNumber, "1"}, {tag.InstanceNumber, fmt.Sprint(n)}, {tag.Modality, "CT"}} {
		e.SetText(k.t, k.v)
	}
	for _, c := range change {
		c(e)
	}
	if ds, err = e.Build(); err != nil {
		t.Fatal(err)
	}
	return ds
}

func fileID(n int) []string { return []string{"IMAGES", fmt.Sprintf("IM%06d", n)} }

func written(t testing.TB, b *dicomdir.Builder) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(t testing.TB, b []byte) *dicomdir.Directory {
	t.Helper()
	d, err := dicomdir.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRoundTrip builds a directory of several patients, studies and series, and reads it.
func TestRoundTrip(t *testing.T) {
	b := dicomdir.Builder{FileSetID: "SET 1", Extra: map[string][]dicomdir.Key{"IMAGE": {{Tag: tag.Rows, Type: "3"}}}}
	const n = 230
	for i := range n {
		if err := b.Add(fileID(i), le, object(t, i)); err != nil {
			t.Fatal(err)
		}
	}
	d := read(t, written(t, &b))
	if d.FileSetID != "SET 1" || d.Inconsistent || len(d.Flaws) > 0 || b.Len() != n {
		t.Errorf("%q %v %v", d.FileSetID, d.Inconsistent, d.Flaws)
	}
	types, images := map[string]int{}, 0
	for level, r := range d.Walk() {
		types[fmt.Sprint(level, r.Type)]++
		if r.Type == "IMAGE" {
			want := object(t, images)
			if !slices.Equal(r.FileID, fileID(images)) || r.Instance() != want.UID(tag.SOPInstanceUID) || r.Class() != uid.CTImageStorage || r.Syntax() != le ||
				r.DataSet.Text(tag.InstanceNumber) != fmt.Sprint(images) || r.DataSet.Text(tag.Rows) != want.Text(tag.Rows) {
				t.Errorf("record %d: %v %s", images, r.FileID, r.Instance())
			}
			images++
		}
	}
	if types["3IMAGE"] != n || types["2SERIES"] != n/10 || types["1STUDY"] != 3 || types["0PATIENT"] == 0 || len(types) != 4 {
		t.Errorf("%v", types)
	}
	if files := slices.Collect(d.Files()); len(files) != n {
		t.Errorf("%d files", len(files))
	}
}

// TestMore adds to a directory that was written.
func TestMore(t *testing.T) {
	var b dicomdir.Builder
	for i := range 3 {
		if d := read(t, written(t, &b)); len(slices.Collect(d.Files())) != i || len(d.Flaws) > 0 {
			t.Errorf("%d: %v", i, d.Flaws)
		}
		if err := b.Add(fileID(i), le, object(t, i)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefused gives Add what it must refuse; what is in the directory stays as it was.
func TestRefused(t *testing.T) {
	var b dicomdir.Builder
	if err := b.Add(fileID(0), le, object(t, 0)); err != nil {
		t.Fatal(err)
	}
	before := read(t, written(t, &b)).Len()
	without := func(tg tag.Tag) *dicom.DataSet { return object(t, 900, func(e *dicom.Editor) { e.Delete(tg) }) }
	for name, c := range map[string]struct {
		id   []string
		ds   *dicom.DataSet
		want string
	}{
		"lower case":    {[]string{"images"}, object(t, 1), "PS3.10 8.2"},
		"long":          {[]string{"IMAGE0001"}, object(t, 1), "PS3.10 8.2"},
		"extension":     {[]string{"A.DCM"}, object(t, 1), "PS3.10 8.2"},
		"deep":          {strings.Split("A/B/C/D/E/F/G/H/I", "/"), object(t, 1), "9 components"},
		"none":          {nil, object(t, 1), "empty"},
		"instance":      {fileID(1), object(t, 0), "already"},
		"file":          {fileID(0), object(t, 1), "already"},
		"no study ID":   {fileID(1), without(tag.StudyID), "STUDY"},
		"no patient ID": {fileID(1), without(tag.PatientID), "PATIENT"},
		"no number":     {fileID(1), without(tag.InstanceNumber), "(0020,0013)"},
		"no class":      {fileID(1), without(tag.SOPClassUID), "SOP Class UID"},
		"unknown class": {fileID(1), object(t, 1, func(e *dicom.Editor) {
			e.SetUID(tag.SOPClassUID, "1.2.3").Delete(tag.Rows)
		}), "no record type"},
	} {
		if err := b.Add(c.id, le, c.ds); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := read(t, written(t, &b)).Len(); after != before {
		t.Errorf("%d records, were %d", after, before)
	}
	b.FileSetID = "lower"
	if err := b.Write(new(bytes.Buffer)); err == nil {
		t.Error("a File-set ID in lower case")
	}
}

// TestInvent has values made up, and keeps those that are there.
func TestInvent(t *testing.T) {
	b := dicomdir.Builder{Invent: true}
	bare := object(t, 5, func(e *dicom.Editor) {
		for _, tg := range []tag.Tag{tag.PatientID, tag.StudyID, tag.StudyDate, tag.StudyTime, tag.Modality, tag.SeriesNumber, tag.InstanceNumber} {
			e.Delete(tg)
		}
	})
	if err := b.Add(fileID(1), le, bare); err != nil {
		t.Fatal(err)
	}
	got := map[tag.Tag]string{}
	for _, r := range read(t, written(t, &b)).Walk() {
		for e := range r.DataSet.All() {
			got[e.Tag] = e.Text()
		}
	}
	for tg, want := range map[tag.Tag]string{tag.PatientID: "UNKNOWN1", tag.StudyID: "1", tag.StudyDate: "19000101", tag.StudyTime: "000000",
		tag.Modality: "OT", tag.SeriesNumber: "1", tag.InstanceNumber: "1", tag.PatientName: bare.Text(tag.PatientName)} {
		if got[tg] != want {
			t.Errorf("%v is %q, want %q", tg, got[tg], want)
		}
	}
	noUID := object(t, 6, func(e *dicom.Editor) { e.Delete(tag.StudyInstanceUID) })
	missing, ok := errors.AsType[*dicomdir.MissingError](b.Add(fileID(2), le, noUID))
	if !ok || missing.Tag != tag.StudyInstanceUID || missing.Record != "STUDY" {
		t.Errorf("%v", missing)
	}
}

// TestKeyTypes has one key of each type, with and without a value.
func TestKeyTypes(t *testing.T) {
	key := func(s string) dicomdir.Key {
		k, err := dicomdir.ParseKey(s)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	add := func(k string, change func(*dicom.Editor)) (*dicom.DataSet, error) {
		b := dicomdir.Builder{Extra: map[string][]dicomdir.Key{"IMAGE": {key(k)}}}
		if err := b.Add(fileID(1), le, object(t, 1, change)); err != nil {
			return nil, err
		}
		for r := range read(t, written(t, &b)).Files() {
			return r.DataSet, nil
		}
		return nil, errors.New("no file")
	}
	gone := func(e *dicom.Editor) { e.Delete(tag.ImageComments) }
	empty := func(e *dicom.Editor) { e.SetText(tag.ImageComments, "") }
	full := func(e *dicom.Editor) { e.SetText(tag.ImageComments, "X") }
	for _, c := range []struct {
		key    string
		change func(*dicom.Editor)
		want   string // "-": absent; "!": refused
	}{
		{"ImageComments", gone, "-"}, {"ImageComments", empty, ""}, {"ImageComments:3", full, "X"},
		{"ImageComments:2", gone, ""}, {"ImageComments:2", full, "X"},
		{"ImageComments:1", gone, "!"}, {"ImageComments:1", empty, "!"}, {"ImageComments:1", full, "X"},
	} {
		ds, err := add(c.key, c.change)
		got := "!"
		if err == nil {
			if got = "-"; ds.Has(tag.ImageComments) {
				got = ds.Text(tag.ImageComments)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.key, got, c.want, err)
		}
	}
	for _, bad := range []string{"NoSuchKeyword", "StudyID:4", "StudyID:", "PixelData", "FileSetID", "RequestAttributesSequence[0].StudyID"} {
		if k, err := dicomdir.ParseKey(bad); err == nil {
			t.Errorf("%s: %v", bad, k)
		}
	}
}

// TestCharacterSet has a record say its character set when, and only when, a key needs it.
func TestCharacterSet(t *testing.T) {
	var b dicomdir.Builder
	latin := object(t, 1, func(e *dicom.Editor) {
		e.SetText(tag.SpecificCharacterSet, "ISO_IR 100")
		e.SetText(tag.PatientName, "Bäcker^Jürgen")
	})
	if err := b.Add(fileID(1), le, latin); err != nil {
		t.Fatal(err)
	}
	for _, r := range read(t, written(t, &b)).Walk() {
		if got, want := r.DataSet.Text(tag.SpecificCharacterSet), map[string]string{"PATIENT": "ISO_IR 100"}[r.Type]; got != want {
			t.Errorf("%s: %q, want %q", r.Type, got, want)
		}
		if r.Type == "PATIENT" && r.DataSet.Text(tag.PatientName) != "Bäcker^Jürgen" {
			t.Errorf("%q", r.DataSet.Text(tag.PatientName))
		}
	}
}

// TestDocument keeps of a document what describes its title, and the last verification.
func TestDocument(t *testing.T) {
	item := func(tg tag.Tag, v string) *dicom.DataSet {
		ds, err := new(dicom.DataSet).Edit().SetText(tg, v).Build()
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	ds := object(t, 1, func(e *dicom.Editor) {
		e.SetUID(tag.SOPClassUID, uid.BasicTextSRStorage).SetText(tag.ContentDate, "20260101").SetText(tag.ContentTime, "10")
		e.SetText(tag.CompletionFlag, "COMPLETE").SetText(tag.VerificationFlag, "VERIFIED")
		e.SetItems(tag.ConceptNameCodeSequence, item(tag.CodeMeaning, "Report"))
		e.SetItems(tag.ContentSequence, item(tag.RelationshipType, "CONTAINS"), item(tag.RelationshipType, "HAS CONCEPT MOD"))
		e.SetItems(tag.VerifyingObserverSequence, item(tag.VerificationDateTime, "20260102"), item(tag.VerificationDateTime, "20260103"), item(tag.VerificationDateTime, "2025"))
	})
	var b dicomdir.Builder
	if err := b.Add(fileID(1), le, ds); err != nil {
		t.Fatal(err)
	}
	for r := range read(t, written(t, &b)).Files() {
		content, _ := r.DataSet.Item(tag.ContentSequence, 0)
		if r.Type != "SR DOCUMENT" || r.DataSet.ItemCount(tag.ContentSequence) != 1 || content.Text(tag.RelationshipType) != "HAS CONCEPT MOD" ||
			r.DataSet.Text(tag.VerificationDateTime) != "20260103" || r.DataSet.ItemCount(tag.ConceptNameCodeSequence) != 1 {
			t.Errorf("%s: %d items, %q", r.Type, r.DataSet.ItemCount(tag.ContentSequence), r.DataSet.Text(tag.VerificationDateTime))
		}
	}
}

// TestStandingAlone puts an object without a patient into the root.
func TestStandingAlone(t *testing.T) {
	var b dicomdir.Builder
	ds := object(t, 1, func(e *dicom.Editor) {
		e.SetUID(tag.SOPClassUID, uid.ColorPaletteStorage).SetText(tag.ContentLabel, "HOT")
	})
	if err := errors.Join(b.Add(fileID(0), le, object(t, 0)), b.Add(fileID(1), le, ds)); err != nil {
		t.Fatal(err)
	}
	if d := read(t, written(t, &b)); len(d.Root) != 2 || d.Root[1].Type != "PALETTE" {
		t.Errorf("%d in the root", len(d.Root))
	}
}

// TestHostileOffsets changes every offset to what makes a cycle or leads nowhere: reading
// ends, says what is wrong, and has each record in the tree once at most.
func TestHostileOffsets(t *testing.T) {
	var b dicomdir.Builder
	for i := range 12 {
		if err := b.Add(fileID(i), le, object(t, i)); err != nil {
			t.Fatal(err)
		}
	}
	good := written(t, &b)
	places := offsets(good)
	if len(places) != 2*read(t, good).Len() {
		t.Fatalf("%d offsets", len(places))
	}
	first := uint32(places[0] - 16)
	for _, at := range places {
		for _, to := range []uint32{first, uint32(at), 1, 0xFFFFFFFF, first + 2} {
			bad := slices.Clone(good)
			binary.LittleEndian.PutUint32(bad[at:], to)
			d := read(t, bad)
			seen := map[*dicomdir.Record]bool{}
			for _, r := range d.Walk() {
				if seen[r] {
					t.Fatalf("offset %d at %d: a record twice", to, at)
				}
				seen[r] = true
			}
			if len(d.Flaws) == 0 {
				t.Errorf("offset %d at %d: nothing was said", to, at)
			}
			if n := len(slices.Collect(d.Files())); n != 12 {
				t.Errorf("offset %d at %d: %d files", to, at, n)
			}
		}
	}
}

// offsets finds where in a directory of ours the offsets of the records stand.
func offsets(b []byte) []int {
	var out []int
	for at := range b {
		for _, element := range []string{"\x04\x00\x00\x14UL\x04\x00", "\x04\x00\x20\x14UL\x04\x00"} {
			if bytes.HasPrefix(b[at:], []byte(element)) {
				out = append(out, at+len(element))
			}
		}
	}
	return out
}

// TestDeep has records more levels deep than any directory needs.
func TestDeep(t *testing.T) {
	var b dicomdir.Builder
	for i := range 30 {
		if err := b.Add(fileID(i), le, object(t, i)); err != nil {
			t.Fatal(err)
		}
	}
	bad := written(t, &b)
	places := offsets(bad)
	for i := 0; i+2 < len(places); i += 2 { // each record has the next one below it
		binary.LittleEndian.PutUint32(bad[places[i]:], 0)
		binary.LittleEndian.PutUint32(bad[places[i+1]:], uint32(places[i+2]-16))
	}
	deepest := 0
	d := read(t, bad)
	for level := range d.Walk() {
		deepest = max(deepest, level)
	}
	if deepest != 15 || len(d.Flaws) == 0 {
		t.Errorf("%d levels, %v", deepest+1, d.Flaws)
	}
}

func TestIsLocal(t *testing.T) {
	for id, want := range map[string]bool{"A": true, "A|B": true, "": false, "..|A": false, "A|..|B": false, "/etc|passwd": false, "A|b/../..": false} {
		if got := dicomdir.IsLocal(strings.Split(id, "|")); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	var b dicomdir.Builder
	for i := range 3 {
		if err := b.Add(fileID(i), le, object(f, 9*i)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(written(f, &b))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := dicomdir.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		n := 0
		for level, r := range d.Walk() {
			if n++; level > 16 || n > d.Len() {
				t.Fatalf("level %d, record %d of %d", level, n, d.Len())
			}
			dicomdir.IsLocal(r.FileID)
		}
	})
}

// BenchmarkBuilder makes the record of an object.
func BenchmarkBuilder(b *testing.B) {
	const n = 1000
	var objects []*dicom.DataSet
	for i := range n {
		objects = append(objects, object(b, i))
	}
	b.ReportAllocs()
	for b.Loop() {
		var d dicomdir.Builder
		for i, ds := range objects {
			if err := d.Add(fileID(i), le, ds); err != nil {
				b.Fatal(err)
			}
		}
		written(b, &d)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/object")
}
