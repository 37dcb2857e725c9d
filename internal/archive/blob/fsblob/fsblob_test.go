package fsblob

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

var quiet = slog.New(slog.DiscardHandler)

// small returns options for quick tests.
func small(f vfs.FS) Options {
	return Options{FS: f, SegmentSize: 1 << 20, MinFree: -1, Reserve: -1, Log: quiet}
}

func open(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	for name, o := range map[string]Options{
		"pack": {}, "one budget": {StageBudget: 1}, "hierarchical": {Naming: Hierarchical},
		"date": {Naming: DateHierarchical}, "flat": {Naming: Flat},
	} {
		t.Run(name, func(t *testing.T) {
			blobtest.Run(t, func(t *testing.T) blob.Store {
				o := o
				o.MinFree, o.Log, o.SegmentSize, o.Reserve = -1, quiet, 1<<20, 1<<20
				o.FS = vfs.NewMem()
				s := open(t, "/store", o)
				t.Cleanup(func() {
					if n := s.staging.Load(); n != 0 {
						t.Errorf("%d bytes of the staging budget not given back", n)
					}
				})
				return s
			})
		})
	}
	t.Run("disk", func(t *testing.T) {
		blobtest.Run(t, func(t *testing.T) blob.Store {
			return open(t, t.TempDir(), small(nil))
		})
	})
}

// TestTarRestores unpacks segments with other programs: archive/tar, and tar itself.
func TestTarRestores(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, small(nil))
	long := uid.UID("1." + string(bytes.Repeat([]byte("2"), 62)))
	e := blobtest.Envelope(long)
	e.Study, e.Series = long, long
	e.Meta = blobtest.Bytes(1, 60_000)
	blobtest.Put(t, s, e, blobtest.Bytes(1, 777))
	for i := range 10 {
		blobtest.Put(t, s, blobtest.Envelope(uid.UID(fmt.Sprint("1.2.", i))), blobtest.Bytes(uint64(i), 300_000))
	}
	blobtest.Put(t, s, blobtest.Envelope("1.8.8"), blobtest.Bytes(8, 5<<20))
	want := map[string][]byte{string(long) + "/" + string(long) + "/" + string(long) + ".dcm": blobtest.Bytes(1, 777)}
	for i := range 10 {
		want[fmt.Sprintf("1.2.3/1.2.3.4/1.2.%d.dcm", i)] = blobtest.Bytes(uint64(i), 300_000)
	}
	segs, err := filepath.Glob(filepath.Join(dir, "log", "*.tar"))
	if err != nil || len(segs) < 3 {
		t.Fatal(segs, err)
	}
	found := 0
	for _, name := range segs {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for r := tar.NewReader(f); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeXGlobalHeader {
				continue
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, append(bytes.Clone(blobtest.Head), want[h.Name]...)) {
				t.Errorf("%s: %v, %d bytes", h.Name, err, len(got))
			}
			if h.PAXRecords["GANTRY.env"] == "" {
				t.Errorf("%s has no envelope", h.Name)
			}
			found++
		}
	}
	if found != len(want) {
		t.Errorf("%d objects in the segments, want %d", found, len(want))
	}
	untar(t, segs, want)
}

func untar(t *testing.T, segs []string, want map[string][]byte) {
	if _, err := exec.LookPath("tar"); err != nil {
		t.Skip("no tar on this machine")
	}
	out := t.TempDir()
	for _, name := range segs {
		if b, err := exec.Command("tar", "-C", out, "-xf", name).CombinedOutput(); err != nil {
			t.Fatalf("tar: %v\n%s", err, b)
		}
	}
	n := 0
	err := filepath.WalkDir(out, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(out, name)
		got, err := os.ReadFile(name)
		if !bytes.Equal(got, append(bytes.Clone(blobtest.Head), want[filepath.ToSlash(rel)]...)) {
			t.Errorf("tar: %s differs", rel)
		}
		n++
		return err
	})
	if err != nil || n != len(want) {
		t.Errorf("tar restored %d of %d: %v", n, len(want), err)
	}
}

func TestNames(t *testing.T) {
	e := &record.Envelope{ID: record.NewID(time.Now()), Study: "1.2", Series: "1.3", Instance: "1.4", Number: 1,
		Received: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}
	dated, second := *e, *e
	dated.StudyDate = "20240229"
	second.Number = 2
	for _, c := range []struct {
		n    Naming
		e    *record.Envelope
		want string
	}{
		{Pack, e, "1.2/1.3/1.4.dcm"}, {Hierarchical, e, "1.2/1.3/1.4.dcm"}, {Flat, e, "1.4.dcm"},
		{DateHierarchical, e, "2026/11/21/1.2/1.4.dcm"}, {DateHierarchical, &dated, "2024/02/29/1.2/1.4.dcm"},
		{Flat, &second, "1.4-" + string(e.ID) + ".dcm"},
	} {
		if got := c.n.name(c.e, false); got != c.want {
			t.Errorf("%s: %s, want %s", c.n, got, c.want)
		}
	}
}

// FuzzNames is S01: no bytes that a peer sends lead a path out of the store.
func FuzzNames(f *testing.F) {
	f.Add("../../x", "..", "1.2", "20240101", "id")
	f.Add("1.2\x00", "/etc", "CON", "../2024/", "..")
	f.Fuzz(func(t *testing.T, study, series, inst, date, id string) {
		e := &record.Envelope{Study: uid.UID(study), Series: uid.UID(series), Instance: uid.UID(inst), StudyDate: date, ID: record.ID(id), Number: len(id) % 3}
		for _, n := range []Naming{Pack, Hierarchical, DateHierarchical, Flat} {
			for _, unique := range []bool{true, false} {
				name := n.name(e, unique)
				if !filepath.IsLocal(name) || filepath.Clean(name) != name || len(name) > 300 {
					t.Fatalf("%q", name)
				}
				for _, part := range bytes.Split([]byte(name), []byte("/")) {
					if len(part) == 0 || part[0] == '.' || bytes.Trim(part, "0123456789abcdefxdcm.-") != nil {
						t.Fatalf("%q has part %q", name, part)
					}
				}
			}
		}
	})
}

func FuzzReadMember(f *testing.F) {
	e := blobtest.Envelope("1.2")
	env, _ := e.Marshal()
	sums := record.Sums{Head: 2, Data: 3}
	f.Add(append(appendMember(nil, env, "1.2/a.dcm", sums, e.Received), make([]byte, 512)...))
	f.Add(appendMember(nil, env, "", record.Sums{}, e.Received))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		m, err := readMember(r, 0, int64(len(b)))
		if err != nil {
			if !errors.Is(err, errBadMember) && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		} else if m.end > int64(len(b)) || m.body+m.sums.Size() > int64(len(b)) {
			t.Fatal("record leads out of the segment")
		}
		_ = m.verify(r)
		if _, _, err := resync(r, 0, int64(len(b))); err != nil && !errors.Is(err, errBadMember) {
			t.Fatal(err)
		}
	})
}

func FuzzRef(f *testing.F) {
	f.Add("p.1.2.3.4")
	f.Add("q.1.2.3.4.5")
	f.Add("q.1.0.3.4.5")
	f.Add("f.1.2.a/b.dcm")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseRef(record.Ref(s))
		if err != nil {
			return
		}
		if p.offset+p.size < 0 {
			t.Fatal("overflow")
		}
		if q, err := parseRef(p.ref()); err != nil || q != p {
			t.Fatalf("%q is %+v, and written again %+v, %v", s, p, q, err)
		}
	})
}

// FuzzParseSegment: a file is taken for a segment only under the name that it is given.
func FuzzParseSegment(f *testing.F) {
	f.Add("00000000000000000007.tar")
	f.Add("00000000000000000007-0001.tar")
	f.Add("00000000000000000007-0000.tar")
	f.Fuzz(func(t *testing.T, s string) {
		if n, g, ok := ParseSegment(s); ok && (segmentID{n, g}).String() != s {
			t.Fatalf("%q is %d, %d", s, n, g)
		}
	})
}
