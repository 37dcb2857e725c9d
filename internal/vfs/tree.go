package vfs

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// MkdirAll makes a folder and its missing parents and syncs each parent that got a new
// name, so that the whole path is durable on return.
func MkdirAll(f FS, name string, perm fs.FileMode) error {
	if st, err := f.Stat(name); err == nil {
		if !st.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: name, Err: errors.New("is a file")}
		}
		return nil
	}
	parent := filepath.Dir(name)
	if parent != name {
		if err := MkdirAll(f, parent, perm); err != nil {
			return err
		}
	}
	if err := f.Mkdir(name, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.SyncDir(parent)
}
