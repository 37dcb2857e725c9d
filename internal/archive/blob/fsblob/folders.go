package fsblob

import (
	"errors"
	"io/fs"
	"path/filepath"
	"sync"

	"gantry/internal/vfs"
)

// maxFolders bounds what folders remembers.
const maxFolders = 10_000

// folders makes folders whose names are durable. That a folder exists proves nothing:
// whoever made it, in this run or before a crash, may not have synced its parent.
type folders struct {
	mu    sync.Mutex
	known map[string]bool
}

func (d *folders) ensure(f vfs.FS, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) > maxFolders {
		d.known = nil
	}
	return d.make(f, name)
}

func (d *folders) make(f vfs.FS, name string) error {
	parent := filepath.Dir(name)
	if d.known[name] || parent == name {
		return nil
	}
	if err := d.make(f, parent); err != nil {
		return err
	}
	err := f.Mkdir(name, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		if st, serr := f.Stat(name); serr != nil || !st.IsDir() {
			return err
		}
	}
	if err := f.SyncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if d.known == nil {
		d.known = map[string]bool{}
	}
	d.known[name] = true
	return nil
}
