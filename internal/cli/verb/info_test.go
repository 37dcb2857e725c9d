package verb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

func infoFile(t *testing.T, dir, name string) {
	t.Helper()
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3").
		SetText(tag.PatientName, "Doe^Jane\x1b[2J").SetInt(tag.Rows, 2).SetInt(tag.Columns, 3).SetBytes(tag.PixelData, vr.OW, make([]byte, 12)).Build()
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
	if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestInfo(t *testing.T) {
	dir := t.TempDir()
	infoFile(t, dir, "a.dcm")
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	infoFile(t, filepath.Join(dir, "below"), "b.dcm")
	say := func(o Info) (string, error) {
		var out, errs bytes.Buffer
		err := o.Run(context.Background(), &Stdio{Out: &out, Err: &errs})
		return out.String(), err
	}
	text, err := say(Info{Paths: []string{dir}})
	if err != nil || !strings.Contains(text, "Dimensions:                 3 x 2") || strings.Count(text, "Patient\n") != 1 || strings.Contains(text, "\x1b") {
		t.Errorf("%q, %v", text, err)
	}
	text, err = say(Info{Paths: []string{dir}, Recursive: true, Format: "json", NoFileInfo: true})
	var got []map[string]map[string]any
	if e := json.Unmarshal([]byte(text), &got); e != nil || err != nil || len(got) != 2 || got[0]["image"]["pixelDataSize"] != 12.0 || got[0]["file"] != nil {
		t.Errorf("%s, %v %v", text, e, err)
	}
	var ended *Error
	if _, err := say(Info{Paths: []string{filepath.Join(dir, "none")}}); !errors.As(err, &ended) || ended.Outcome != NoInput {
		t.Errorf("a file that is not there: %v", err)
	}
}
