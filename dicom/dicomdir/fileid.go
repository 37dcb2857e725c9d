package dicomdir

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// The bounds of a File ID (PS3.10 8.2, 8.5).
const (
	maxComponents = 8
	maxComponent  = 8
)

// ParseFileID turns the path of a file, relative to the folder of the directory, into a
// File ID. The error says what of PS3.10 8.2 the path does not fit.
func ParseFileID(path string) ([]string, error) {
	id := strings.Split(filepath.ToSlash(filepath.Clean(path)), "/")
	return id, CheckFileID(id)
}

// CheckFileID tells whether a File ID is one: up to eight components of up to eight
// characters, which are capital letters, digits and underscores (PS3.10 8.2, 8.5).
func CheckFileID(id []string) error {
	name := strings.Join(id, `\`)
	switch {
	case len(id) == 0 || name == "":
		return errors.New("dicomdir: the File ID is empty")
	case len(id) > maxComponents:
		return fmt.Errorf("dicomdir: File ID %q has %d components, and %d are allowed (PS3.10 8.2)", name, len(id), maxComponents)
	}
	for _, c := range id {
		if c == "" || len(c) > maxComponent || strings.Trim(c, fileIDCharacters) != "" {
			return fmt.Errorf("dicomdir: File ID %q: %q is not 1 to %d of A-Z, 0-9 and _ (PS3.10 8.2)", name, c, maxComponent)
		}
	}
	return nil
}

const fileIDCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// checkLoose is what holds for every File ID, also for those that PS3.10 8.2 does not
// allow: what a value of VR CS could not hold at all.
func checkLoose(id []string) error {
	if len(id) == 0 {
		return errors.New("dicomdir: the File ID is empty")
	}
	for _, c := range id {
		if c == "" || c == "." || c == ".." || strings.ContainsAny(c, "\\/\x00") || len(c) > 255 {
			return fmt.Errorf("dicomdir: %q cannot be a component of a File ID", c)
		}
	}
	return nil
}

// IsLocal tells whether the file of a File ID lies below the folder of its directory, on
// this system. That of an enemy need not.
func IsLocal(id []string) bool {
	for _, c := range id {
		if c == "" || c == ".." || strings.ContainsAny(c, "/\x00") || strings.ContainsRune(c, filepath.Separator) {
			return false
		}
	}
	return len(id) > 0 && filepath.IsLocal(filepath.Join(id...))
}
