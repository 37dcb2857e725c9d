//go:build unix

package interop

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// TestTarRestoresTheLog takes the objects out of the store log with tar alone.
func TestTarRestoresTheLog(t *testing.T) {
	s := serve(t)
	objects := append(study(1, 5), study(2, 5)...)
	sent := files(t, objects)
	must(t, gantry, "store", "GANTRY@"+addr(s.port), sent)
	s.stop()
	out := t.TempDir()
	segments, err := filepath.Glob(filepath.Join(s.dir, "data", "log", "*.tar"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments %v, %v", segments, err)
	}
	for _, name := range segments {
		if b, err := exec.Command("tar", "xf", name, "-C", out).CombinedOutput(); err != nil {
			t.Errorf("tar: %v %s", err, b)
		}
	}
	got := map[uid.UID][]byte{}
	filepath.WalkDir(out, func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			checkFile(t, name, got)
		}
		return err
	})
	same(t, dataSets(t, sent), got)
}

// checkFile reads a stored file, whose preamble must be zero.
func checkFile(t *testing.T, name string, got map[uid.UID][]byte) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b[:128], make([]byte, 128)) {
		t.Errorf("%s: preamble is not zero", name)
	}
	f, err := part10.NewFile(bytes.NewReader(b), int64(len(b)), dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got[f.DataSet.UID(tag.SOPInstanceUID)] = b[f.DataSetOffset:]
}

// TestEachLayout stores in every layout and finds the objects where it puts them.
func TestEachLayout(t *testing.T) {
	objects := study(3, 2)
	sent := files(t, objects)
	o := objects[0]
	for naming, want := range map[string]string{
		"hierarchical":      filepath.Join(string(o.study), string(o.series), string(o.instance)+".dcm"),
		"date_hierarchical": filepath.Join("2026", "04", "15", string(o.study), string(o.instance)+".dcm"),
		"flat":              string(o.instance) + ".dcm",
	} {
		dir := t.TempDir()
		cfg := filepath.Join(dir, "gantry.yaml")
		os.WriteFile(cfg, []byte("storage: {naming: "+naming+"}\n"), 0o600)
		s := serveIn(t, dir, "--config", cfg)
		must(t, gantry, "store", "GANTRY@"+addr(s.port), sent)
		if _, err := os.Stat(filepath.Join(dir, "data", "objects", want)); err != nil {
			t.Errorf("%s: %v", naming, err)
		}
		out := t.TempDir()
		must(t, gantry, "get", "GANTRY@"+addr(s.port), "-k", "StudyInstanceUID="+string(o.study), "--dir", out)
		same(t, dataSets(t, sent), dataSets(t, out))
	}
}

// TestReindex rebuilds the index from the store alone.
func TestReindex(t *testing.T) {
	s := serve(t)
	objects := append(study(1, 3), study(2, 2)...)
	must(t, gantry, "store", "GANTRY@"+addr(s.port), files(t, objects))
	ask := func(s *server) string {
		return must(t, gantry, "find", "GANTRY@"+addr(s.port), "--format", "csv", "-k", "NumberOfStudyRelatedInstances", "-k", "StudyDescription")
	}
	before := ask(s)
	s.stop()
	data := filepath.Join(s.dir, "data")
	for _, name := range []string{"index.db", "index.db-wal", "index.db-shm"} {
		os.Remove(filepath.Join(data, name))
	}
	out := must(t, gantry, "reindex", "--storage-dir", data)
	if !strings.Contains(out, "5 instances") {
		t.Errorf("reindex: %s", out)
	}
	again := serveIn(t, s.dir)
	if after := ask(again); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
}

// TestDuplicates sends an object twice, and then another under the same UID.
func TestDuplicates(t *testing.T) {
	other := study(9, 1)[0]
	other.name = "Somebody^Else"
	first, second := files(t, study(9, 1)), files(t, []object{other})
	for policy, want := range map[string]struct {
		refused bool
		kept    string // whose bytes come back
	}{"keep": {false, first}, "ignore": {false, first}, "replace": {false, second}, "reject": {true, first}} {
		dir := t.TempDir()
		cfg := filepath.Join(dir, "gantry.yaml")
		os.WriteFile(cfg, []byte("storage: {duplicate_policy: "+policy+"}\n"), 0o600)
		s := serveIn(t, dir, "--config", cfg)
		must(t, gantry, "store", "GANTRY@"+addr(s.port), first)
		out, code := run(t, gantry, "store", "GANTRY@"+addr(s.port), first)
		if policy == "reject" {
			if code == 0 || !strings.Contains(out, "0111H") {
				t.Errorf("reject: the same object again: %d %s", code, out)
			}
		} else if code != 0 {
			t.Errorf("%s: the same object again: %d %s", policy, code, out)
		}
		out, code = run(t, gantry, "store", "GANTRY@"+addr(s.port), second)
		if (code != 0) != want.refused {
			t.Errorf("%s: another object: %d %s", policy, code, out)
		}
		back := t.TempDir()
		must(t, gantry, "get", "GANTRY@"+addr(s.port), "-k", "StudyInstanceUID="+string(other.study), "--dir", back)
		same(t, dataSets(t, want.kept), dataSets(t, back))
		if out := must(t, gantry, "find", "GANTRY@"+addr(s.port), "--format", "csv", "-k", "NumberOfStudyRelatedInstances"); lines(out, ",1") != 1 {
			t.Errorf("%s: counts\n%s", policy, out)
		}
	}
}

// TestFsck checks an archive, then one with a flipped bit.
func TestFsck(t *testing.T) {
	s := serve(t)
	must(t, gantry, "store", "GANTRY@"+addr(s.port), files(t, study(1, 3)))
	s.stop()
	data := filepath.Join(s.dir, "data")
	if out := must(t, gantry, "fsck", "--storage-dir", data); !strings.Contains(out, "3 objects") || !strings.Contains(out, "0 findings") {
		t.Errorf("%s", out)
	}
	segments, _ := filepath.Glob(filepath.Join(data, "log", "*.tar"))
	b, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	b[bytes.Index(b, []byte("MONOCHROME2"))] ^= 1
	if err := os.WriteFile(segments[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, code := run(t, gantry, "fsck", "--storage-dir", data)
	if code != 1 || !strings.Contains(out, "damaged object: instance 1.2.826") || !strings.Contains(out, "restore from a backup") {
		t.Errorf("%d %s", code, out)
	}
}

// TestBackupWhileIngesting copies the archive while objects come in, copies again what is
// new, and serves the restored copy (R15).
func TestBackupWhileIngesting(t *testing.T) {
	s := serve(t)
	data := filepath.Join(s.dir, "data")
	first := study(1, 20)
	must(t, gantry, "store", "GANTRY@"+addr(s.port), files(t, first))
	copied, restored := filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")

	busy := exec.Command(gantry, "store", "GANTRY@"+addr(s.port), files(t, study(2, 200)))
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	must(t, gantry, "backup", copied, "--storage-dir", data)
	if err := busy.Wait(); err != nil {
		t.Fatal(err)
	}
	if out := must(t, gantry, "fsck", "--storage-dir", copied); !strings.Contains(out, "0 findings") {
		t.Errorf("the backup: %s", out)
	}
	if out := must(t, gantry, "backup", copied, "--storage-dir", data); !strings.Contains(out, "2 studies, 220 instances") {
		t.Errorf("the second backup: %s", out)
	}
	if out := must(t, gantry, "backup", copied, "--storage-dir", data); !strings.Contains(out, "0 files and 0 bytes copied") {
		t.Errorf("a backup with nothing new: %s", out)
	}
	if out := must(t, gantry, "restore", copied, restored); !strings.Contains(out, "220 objects checked, 0 findings") {
		t.Errorf("restore: %s", out)
	}
	again := serve(t, "--storage-dir", restored)
	back := t.TempDir()
	must(t, gantry, "get", "GANTRY@"+addr(again.port), "-k", "StudyInstanceUID="+string(first[0].study), "--dir", back)
	same(t, dataSets(t, files(t, first)), dataSets(t, back))
}

// TestDatabaseBrowser looks into the index beside a running archive, under both names.
func TestDatabaseBrowser(t *testing.T) {
	s := serve(t)
	data := filepath.Join(s.dir, "data")
	objects := append(study(1, 2), study(2, 3)...)
	must(t, gantry, "store", "GANTRY@"+addr(s.port), files(t, objects))
	links := t.TempDir()
	must(t, gantry, "links", links)
	browser := filepath.Join(links, "db_browser")
	for command, want := range map[string]string{
		"patients": "Doe0002^Jane", "studies": string(objects[0].study), "series": string(objects[4].series), "instances": string(objects[3].instance),
		"stats": "Instances:          5", "verify": "Files Missing:    0", "analyze": "analyzed", "vacuum": "Saved:",
	} {
		if out := must(t, browser, data, command); !strings.Contains(out, want) {
			t.Errorf("%s: no %q in\n%s", command, want, out)
		}
	}
	out := must(t, gantry, "db", "studies", "--database", data, "--patient-name", "doe0001*", "--modality", "CT")
	if lines(out, "1.2.826") != 1 {
		t.Errorf("one study of that name: %s", out)
	}
	if out, code := run(t, browser, data, "nonsense"); code != 1 {
		t.Errorf("%d %s", code, out)
	}
	if out, code := run(t, browser, filepath.Join(data, "none.db"), "stats"); code != 2 {
		t.Errorf("%d %s", code, out)
	}
	s.stop()
	for _, name := range []string{"log"} {
		os.RemoveAll(filepath.Join(data, name))
	}
	if out, code := run(t, browser, data, "verify", "-v"); code != 1 || !strings.Contains(out, "Files Missing:    5") || lines(out, "Missing: 1.2") != 5 {
		t.Errorf("%d %s", code, out)
	}
}
