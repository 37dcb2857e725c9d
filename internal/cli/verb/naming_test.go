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
