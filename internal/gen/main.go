// Command gen writes the generated tables of the dictionary packages from the facts in
// its data folder.
//
//	go generate ./internal/gen
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run . ../..

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	if err := run(root); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes every generated file below root, the folder of go.mod.
func run(root string) error {
	files, err := generate()
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the content of every generated file by its path below the root.
func generate() (map[string][]byte, error) {
	files := make(map[string][]byte)
	for name, write := range map[string]func() ([]byte, error){
		"dicom/tag/ztag.go":      tagFile,
		"dicom/uid/zuid.go":      uidFile,
		"dicom/dict/zdict.go":    dictFile,
		"dicom/dict/zprivate.go": privateFile,

		"dicom/dicomdir/zrecords.go": recordFile,
	} {
		content, err := write()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = content
	}
	return files, nil
}
