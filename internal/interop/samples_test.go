//go:build unix

package interop

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// options are what storescu and getscu call a transfer syntax.
var options = map[uid.UID]struct{ store, get string }{
	uid.ImplicitVRLittleEndian:         {"-xi", "+x="}, // +xi of DCMTK 3.6.7 proposes Explicit VR Little Endian only
	uid.ExplicitVRLittleEndian:         {"-xe", "+xe"},
	uid.ExplicitVRBigEndian:            {"-xb", "+xb"},
	uid.DeflatedExplicitVRLittleEndian: {"-xd", "+xd"},
	uid.JPEGLosslessSV1:                {"-xs", "+xs"},
	uid.JPEGBaseline8Bit:               {"-xy", "+xy"},
	uid.JPEGExtended12Bit:              {"-xx", "+xx"},
	uid.JPEG2000Lossless:               {"-xv", "+xv"},
	uid.JPEG2000:                       {"-xw", "+xw"},
	uid.JPEGLSLossless:                 {"-xt", "+xt"},
	uid.JPEGLSNearLossless:             {"-xu", "+xu"},
	uid.RLELossless:                    {"-xr", "+xr"},
	uid.MPEG2MPML:                      {"-xm", "+xm"},
	uid.MPEG2MPHL:                      {"-xh", "+xh"},
	uid.MPEG4HP41:                      {"-xn", "+xn"},
	uid.MPEG4HP41BD:                    {"-xl", "+xl"},
	uid.HEVCMP51:                       {"-x4", "+x4"},
	uid.HEVCM10P51:                     {"-x5", "+x5"},
}

// sample is a real file as it will be sent.
type sample struct {
	name            string
	instance, study uid.UID
	complete        bool // has the UIDs that an archive needs
}

// samplesBySyntax reads the folder of real files: one file for each SOP Instance UID.
func samplesBySyntax(t *testing.T) map[uid.UID][]sample {
	dir := os.Getenv("GANTRY_SAMPLES")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES is not set: CI needs the folder of sample files")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no real file was sent")
	}
	out := map[uid.UID][]sample{}
	seen := map[uid.UID]bool{}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "MANIFEST.tsv" || d.Name() == "README.md" {
			return err
		}
		f, err := part10.Open(name, dicom.DecodeOptions{Until: tag.PixelData})
		if err != nil {
			return nil
		}
		defer f.Close()
		s := sample{name: name, instance: f.DataSet.UID(tag.SOPInstanceUID), study: f.DataSet.UID(tag.StudyInstanceUID)}
		s.complete = s.study.Valid() && f.DataSet.UID(tag.SeriesInstanceUID) != "" && f.DataSet.UID(tag.SOPClassUID) != ""
		if s.instance.Valid() && !seen[s.instance] {
			seen[s.instance] = true
			out[f.Syntax] = append(out[f.Syntax], s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSamplesThroughDCMTK sends every real file that DCMTK can send, to storescp and to the
// archive, fetches the archive's with getscu, and compares the two: what came back must be
// what storescp received from the same sender, byte for byte.
func TestSamplesThroughDCMTK(t *testing.T) {
	groups := samplesBySyntax(t)
	total := 0
	for syntax, o := range options {
		if files := groups[syntax]; len(files) > 0 {
			t.Run(syntax.Name(), func(t *testing.T) { total += throughDCMTK(t, syntax, files, o.store, o.get) })
		}
	}
	t.Logf("%d objects compared", total)
	if total < 250 {
		t.Errorf("only %d objects came through", total)
	}
}

// throughDCMTK sends and fetches the files of one syntax. The archive is told to prefer that
// syntax for the caller that fetches: of several native ones proposed it takes Explicit VR
// Little Endian otherwise.
func throughDCMTK(t *testing.T, syntax uid.UID, files []sample, store, get string) int {
	reference := t.TempDir()
	port := freePort(t)
	start(t, port, dcmtk(t, "storescp"), "+B", "+xa", "-aet", "ANY", "-od", reference, strconv.Itoa(port))
	dir := t.TempDir()
	cfg := filepath.Join(dir, "gantry.yaml")
	text := fmt.Sprintf("peers: [{ae: GETSCU, host: 127.0.0.1, port: 104, syntaxes: ['%s']}]\n", syntax)
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serveIn(t, dir, "--config", cfg)
	names := make([]string, len(files))
	for i := range files {
		names[i] = files[i].name
	}
	run(t, dcmtk(t, "storescu"), append([]string{"-nh", store, "-aec", "ANY", "localhost", strconv.Itoa(port)}, names...)...)
	run(t, dcmtk(t, "storescu"), append([]string{"-nh", store, "-aec", "GANTRY", "localhost", strconv.Itoa(s.port)}, names...)...)

	want := dataSets(t, reference)
	back := t.TempDir()
	var studies []uid.UID
	for _, f := range files {
		if !f.complete {
			delete(want, f.instance) // refused with C000: no study or series
		} else if !slices.Contains(studies, f.study) {
			studies = append(studies, f.study)
		}
	}
	for _, u := range studies {
		run(t, dcmtk(t, "getscu"), "-aec", "GANTRY", "+B", get, "-S", "-od", back, "-k", "0008,0052=STUDY", "-k", fmt.Sprintf("0020,000d=%s", u), "localhost", strconv.Itoa(s.port))
	}
	same(t, want, dataSets(t, back))
	return len(want)
}

// TestSamplesThroughOwnTools sends every real file that has the UIDs an archive needs, in
// whatever syntax, with Gantry's own tools: the data sets that come back must be those of
// the files, byte for byte. It covers the syntaxes that DCMTK lacks.
func TestSamplesThroughOwnTools(t *testing.T) {
	total := 0
	for syntax, files := range samplesBySyntax(t) {
		t.Run(syntax.Name(), func(t *testing.T) { total += throughOwnTools(t, syntax, files) })
	}
	t.Logf("%d objects compared", total)
	if total < 400 {
		t.Errorf("only %d objects came through", total)
	}
}

func throughOwnTools(t *testing.T, syntax uid.UID, files []sample) int {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "gantry.yaml")
	text := fmt.Sprintf("peers: [{ae: GANTRY, host: 127.0.0.1, port: 104, syntaxes: ['%s']}]\n", syntax)
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serveIn(t, dir, "--config", cfg)
	want := map[uid.UID][]byte{}
	args := []string{"store", "GANTRY@" + addr(s.port)}
	var studies []uid.UID
	for _, f := range files {
		if f.complete {
			want[f.instance] = dataSetOf(t, f.name)
			args = append(args, f.name)
			if !slices.Contains(studies, f.study) {
				studies = append(studies, f.study)
			}
		}
	}
	if len(want) == 0 {
		return 0
	}
	if out, code := run(t, gantry, args...); code != 0 {
		t.Errorf("store: %d\n%s", code, tail(out, 2000))
	}
	back := t.TempDir()
	for _, u := range studies {
		if out, code := run(t, gantry, "get", "GANTRY@"+addr(s.port), "-k", "StudyInstanceUID="+string(u), "--dir", back); code != 0 {
			t.Errorf("get: %d\n%s", code, tail(out, 2000))
		}
	}
	same(t, want, dataSets(t, back))
	return len(want)
}

func dataSetOf(t *testing.T, name string) []byte {
	t.Helper()
	f, err := part10.Open(name, dicom.DecodeOptions{Until: tag.StudyDate})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f.DataSetReader())
	if err != nil {
		t.Fatal(err)
	}
	return b
}
