package cli

import (
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// regularFiles yields the files that names stand for: files as they are, folders with all
// the regular files below them. Links inside of folders are not followed.
func regularFiles(names []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, name := range names {
			st, err := os.Stat(name)
			if err != nil || !st.IsDir() {
				if !yield(name, err) {
					return
				}
				continue
			}
			stop := false
			filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.Type().IsRegular() {
					return nil
				}
				if !yield(path, err) {
					stop = true
					return fs.SkipAll
				}
				return nil
			})
			if stop {
				return
			}
		}
	}
}
