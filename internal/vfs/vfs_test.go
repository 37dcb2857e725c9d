package vfs

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

func roots(t *testing.T) map[string]struct {
	fs  FS
	dir string
} {
	return map[string]struct {
		fs  FS
		dir string
	}{"os": {OS{}, t.TempDir()}, "mem": {NewMem(), string(filepath.Separator)}, "fault": {&Fault{FS: NewMem()}, string(filepath.Separator)}}
}

func create(t *testing.T, f FS, name string, data []byte) File {
	t.Helper()
	file, err := f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, f FS, name string) []byte {
	t.Helper()
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, size)
	if n, err := file.ReadAt(data, 0); n != len(data) {
		t.Fatal(n, err)
	}
	return data
}

func TestConformance(t *testing.T) {
	for name, r := range roots(t) {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(r.dir, "a", "b")
			if err := MkdirAll(r.fs, dir, 0o700); err != nil {
				t.Fatal(err)
			}
			one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
			f := create(t, r.fs, one, []byte("hello"))
			bufs := [][]byte{[]byte("ab"), nil, []byte("cde"), bytes.Repeat([]byte("x"), 3000)}
			if n, err := f.WriteVec(bufs, 3); n != 3005 || err != nil {
				t.Fatal(n, err)
			}
			if err := errors.Join(f.Sync(), f.Allocate(8192), f.PunchHole(4, 2), f.Truncate(10), f.Close()); err != nil {
				t.Fatal(err)
			}
			if got := read(t, r.fs, one); string(got) != "hela\x00\x00dexx" {
				t.Errorf("got %q", got)
			}
			if err := r.fs.Link(one, two); err != nil {
				t.Fatal(err)
			}
			if err := r.fs.Link(one, two); !errors.Is(err, fs.ErrExist) {
				t.Errorf("second link: %v", err)
			}
			if err := errors.Join(r.fs.Remove(one), r.fs.Rename(two, one), r.fs.SyncDir(dir)); err != nil {
				t.Fatal(err)
			}
			if l, err := r.fs.ReadDir(dir); err != nil || len(l) != 1 || l[0].Name() != "one" {
				t.Errorf("listing %v, %v", l, err)
			}
			if _, err := r.fs.Stat(two); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("stat of a moved file: %v", err)
			}
			if sp, err := r.fs.Space(dir); err != nil || sp.Free <= 0 || sp.Total < sp.Free {
				t.Errorf("space %v, %v", sp, err)
			}
			l, err := r.fs.Lock(filepath.Join(dir, "LOCK"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.fs.Lock(filepath.Join(dir, "LOCK")); !errors.Is(err, ErrLocked) {
				t.Errorf("second lock: %v", err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCrashKeepsWhatWasSynced(t *testing.T) {
	lostName, lostBytes, torn := 0, 0, 0
	for seed := range uint64(200) {
		m := NewMem()
		f := create(t, m, "/kept", bytes.Repeat([]byte{1}, 2048))
		if err := errors.Join(f.Sync(), m.SyncDir("/")); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt(bytes.Repeat([]byte{2}, 2048), 2048); err != nil {
			t.Fatal(err)
		}
		if err := create(t, m, "/new", []byte("x")).Sync(); err != nil {
			t.Fatal(err)
		}
		c := m.Crash(rand.New(rand.NewPCG(seed, 1)))
		got := read(t, c, "/kept")
		if !bytes.Equal(got[:2048], bytes.Repeat([]byte{1}, 2048)) {
			t.Fatal("synced bytes lost")
		}
		switch n := bytes.Count(got, []byte{2}); {
		case n == 0:
			lostBytes++
		case n < 2048:
			torn++
		}
		if _, err := c.Stat("/new"); err != nil {
			lostName++
		}
	}
	if lostName < 20 || lostBytes < 20 || torn < 20 {
		t.Errorf("crashes too kind: %d names lost, %d writes lost, %d torn", lostName, lostBytes, torn)
	}
}

func TestFailedSyncNeverReachesDisk(t *testing.T) {
	m := NewMem()
	f := create(t, m, "/a", []byte("lost"))
	m.FailSync(errors.New("EIO"))
	if f.Sync() == nil || f.Sync() != nil || m.SyncDir("/") != nil {
		t.Fatal("the error must come exactly once")
	}
	if got := read(t, m, "/a"); string(got) != "lost" {
		t.Errorf("page cache has %q", got)
	}
	if got := read(t, m.Crash(rand.New(rand.NewPCG(1, 1))), "/a"); len(got) != 0 {
		t.Errorf("disk has %q", got)
	}
}

func TestQuota(t *testing.T) {
	m := NewMem()
	m.SetQuota(10)
	f, err := m.OpenFile("/a", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.WriteAt(make([]byte, 12), 0); n != 10 || !IsNoSpace(err) {
		t.Errorf("wrote %d, %v", n, err)
	}
	if err := f.Allocate(11); !IsNoSpace(err) {
		t.Errorf("allocate: %v", err)
	}
	if err := errors.Join(f.Truncate(0), f.Allocate(10), m.Remove("/a")); err != nil || m.Used() != 0 {
		t.Errorf("%v, used %d", err, m.Used())
	}
}

func TestFaults(t *testing.T) {
	boom := errors.New("boom")
	f := &Fault{FS: NewMem()}
	file := create(t, f, "/a", []byte("12345"))
	f.Hook = func(c Call) error {
		switch c.Op {
		case "WriteVec":
			return &Short{3, boom}
		case "Sync":
			return boom
		}
		return nil
	}
	if n, err := file.WriteVec([][]byte{[]byte("ab"), []byte("cd")}, 0); n != 3 || !errors.Is(err, boom) {
		t.Errorf("short write %d, %v", n, err)
	}
	if err := file.Sync(); !errors.Is(err, boom) {
		t.Error(err)
	}
	if got := read(t, f, "/a"); string(got) != "abc45" {
		t.Errorf("got %q", got)
	}
}
