//go:build unix

package interop

import (
	"bytes"
	"context"
	"io"
	"io/fs"
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

// TestNoPatientDataInLogs greps everything the server prints for names it was given.
func TestNoPatientDataInLogs(t *testing.T) {
	const canary = "CANARY"
	dir := t.TempDir()
	s := serveIn(t, dir, "--log-level", "trace")
	o := study(1, 1)[0]
	o.name, o.patient = "Canary"+canary+"^"+canary, canary+"42"
	other := o
	other.modality = "MR"
	peer := "GANTRY@" + addr(s.port)
	must(t, gantry, "store", peer, files(t, []object{o}))
	must(t, gantry, "store", peer, files(t, []object{other}))
	must(t, gantry, "find", peer, "-k", "PatientName=*"+canary+"*")
	run(t, gantry, "find", peer, "-k", "PatientID="+canary+"NONE")
	run(t, gantry, "get", peer, "-k", "StudyInstanceUID=", "-k", "PatientID="+canary)
	run(t, gantry, "move", peer, "--dest", "NOBODY", "-k", "PatientID="+canary, "-k", "StudyInstanceUID="+string(o.study))
	must(t, gantry, "get", peer, "-k", "StudyInstanceUID="+string(o.study), "--dir", t.TempDir())
	token, _ := os.ReadFile(filepath.Join(dir, "data", "token"))
	_, metrics := s.get("/metrics", strings.TrimSpace(string(token)))
	_, health := s.get("/health", "")
	for name, text := range map[string]string{"output": s.stop(), "metrics": metrics, "health": health} {
		if strings.Contains(strings.ToUpper(text), canary) {
			t.Errorf("%s has patient data:\n%s", name, tail(text, 2000))
		}
		if len(text) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
}

// TestHostileIdentifiers sends objects whose UIDs and titles try to be paths. Whatever is
// answered, nothing may appear outside of the storage folder.
func TestHostileIdentifiers(t *testing.T) {
	for _, naming := range []string{"", "hierarchical", "flat", "date_hierarchical"} {
		dir := t.TempDir()
		cfg := filepath.Join(dir, "gantry.yaml")
		if err := os.WriteFile(cfg, []byte("storage: {naming: \""+naming+"\"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s := serveIn(t, dir, "--config", cfg)
		before := outside(t, dir)
		for _, evil := range []string{"../../../evil", "/etc/evil", `..\..\evil`, "C:\\evil", "1.2\x00/../evil", strings.Repeat("1", 64), "..", ".", "CON", "a/b/c"} {
			sendEvil(t, s, evil)
		}
		must(t, dcmtk(t, "echoscu"), "-aec", "GANTRY", "localhost", addr(s.port)[len("127.0.0.1:"):])
		if after := outside(t, dir); after != before {
			t.Errorf("naming %q: files outside of the storage folder:\n%s\nwere\n%s", naming, after, before)
		}
	}
}

func sendEvil(t *testing.T, s *server, evil string) {
	t.Helper()
	ds, err := study(1, 1)[0].dataSet(t).Edit().SetText(tag.StudyInstanceUID, evil).SetText(tag.SeriesInstanceUID, evil).
		SetText(tag.SOPInstanceUID, evil).SetText(tag.PatientID, evil).SetText(tag.StudyDate, evil).Build()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	d := dimse.Dialer{Calling: "../../EVIL", Contexts: []dimse.Context{{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian}}}}
	a, err := d.Dial(ctx, "GANTRY", addr(s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	b, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	a.Store(ctx, &dimse.Outgoing{Class: uid.CTImageStorage, Instance: uid.UID(evil), Syntax: uid.ExplicitVRLittleEndian, Size: int64(len(b)),
		Open: func(context.Context, uid.UID) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }})
	a.Release(ctx)
}

// outside lists what is in dir beside the storage folder, and in its parent.
func outside(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, root := range []string{dir, filepath.Dir(dir)} {
		filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil || name == filepath.Join(dir, "data") {
				return fs.SkipDir
			}
			b.WriteString(name + "\n")
			return nil
		})
	}
	return b.String()
}
