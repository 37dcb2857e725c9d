package verb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
)

func incoming(t *testing.T, edit func(*dicom.Editor)) *dimse.Incoming {
	t.Helper()
	e := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.XRayAngiographicImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3").
		SetText(tag.StudyDate, "20260227").SetText(tag.StudyTime, "0915").SetText(tag.AccessionNumber, "../A 1/2").SetText(tag.Modality, "XA").
		SetUID(tag.StudyInstanceUID, "1.2").SetUID(tag.SeriesInstanceUID, "1.2.1")
	edit(e)
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return &dimse.Incoming{Peer: new(dimse.Peer), Class: uid.XRayAngiographicImageStorage, Instance: "1.2.3", Syntax: uid.ExplicitVRLittleEndian, Body: strings.NewReader(string(b))}
}

// TestViewerNaming stores objects by the viewer's layout; nothing in them leads out of the
// folder.
func TestViewerNaming(t *testing.T) {
	for _, c := range []struct {
		edit func(*dicom.Editor)
		want string
	}{
		{func(e *dicom.Editor) {}, "202602/20260227091500_A12/angio_1.2.3.dcm"},
		{func(e *dicom.Editor) { e.SetText(tag.Modality, "CT").SetText(tag.StudyTime, "091501.25") }, "202602/20260227091501_A12/_1.2.3.dcm"},
		{func(e *dicom.Editor) { e.Delete(tag.StudyDate).Delete(tag.AccessionNumber) }, "unknown/unknown_/angio_1.2.3.dcm"},
		{func(e *dicom.Editor) { e.SetText(tag.StudyDate, "../../xx") }, "unknown/unknown_A12/angio_1.2.3.dcm"},
		{func(e *dicom.Editor) { e.Delete(tag.SeriesInstanceUID) }, ""},
	} {
		f := &Folder{Dir: t.TempDir(), Naming: ByViewer}
		err := f.Store(t.Context(), incoming(t, c.edit))
		_, missing := os.Stat(filepath.Join(f.Dir, c.want))
		if c.want == "" != (err != nil) || missing != nil {
			t.Errorf("%s: %v, %v", c.want, err, missing)
		}
	}
}

func TestHowFar(t *testing.T) {
	for _, c := range []struct {
		done, all, failed, bytes int64
		want                     string
	}{
		{5, 0, 0, 20e6, "5, 0 failed, 2.0 MB/s"},
		{25, 100, 1, 20e6, "[#######.......................] 25% 25 of 100, 1 failed, 2.0 MB/s, 30s left"},
	} {
		if got := howFar(c.done, c.all, c.failed, c.bytes, 10*time.Second); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestTreeNaming stores objects by what people call them, and by what media take: text
// from the wire is one component of a path, whatever it says.
func TestTreeNaming(t *testing.T) {
	for _, c := range []struct {
		edit func(*dicom.Editor)
		iso  bool
		want string
	}{
		{func(e *dicom.Editor) {
			e.SetText(tag.PatientName, "Doe^Jane").SetText(tag.StudyID, "S1").SetText(tag.StudyDescription, "Knee").SetText(tag.SeriesNumber, "4").SetText(tag.SeriesDescription, "t1 sag")
		}, false, "Doe^Jane/S1_Knee/4_t1 sag/1.2.3.dcm"},
		{func(e *dicom.Editor) {
			e.SetText(tag.PatientName, "Doe^Jane").SetText(tag.StudyID, "S1").SetText(tag.SeriesNumber, "4")
		}, true, "DOE_JANE/S1/4/IM000001"},
		{func(e *dicom.Editor) { e.SetText(tag.PatientID, "../..").SetText(tag.StudyID, "/etc") }, false, "_.._/_etc/1/1.2.3.dcm"},
		{func(e *dicom.Editor) { e.SetText(tag.PatientID, "..").SetText(tag.StudyID, "-rf") }, false, "_/_-rf/1/1.2.3.dcm"},
		{func(e *dicom.Editor) {}, false, "_/1/2/1.2.3.dcm"},
		{func(e *dicom.Editor) {}, true, "_/1/2/IM000001"},
	} {
		f := &Folder{Dir: t.TempDir(), Naming: ByPatient, ISO9660: c.iso}
		err := f.Store(t.Context(), incoming(t, c.edit))
		if _, missing := os.Stat(filepath.Join(f.Dir, c.want)); err != nil || missing != nil {
			found, _ := filepath.Glob(filepath.Join(f.Dir, "*/*/*/*"))
			t.Errorf("%s: %v, %v", c.want, err, found)
		}
	}
}

// TestNumberedNames stores twice, in two runs: nothing is replaced.
func TestNumberedNames(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		f := &Folder{Dir: dir, ISO9660: true, Twice: Replace}
		for range 2 {
			if err := f.Store(t.Context(), incoming(t, func(*dicom.Editor) {})); err != nil {
				t.Fatal(err)
			}
		}
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "IM00000[1-4]")); len(found) != 4 {
		t.Errorf("%v", found)
	}
}
