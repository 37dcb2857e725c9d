//go:build unix

package backup

import (
	"errors"
	"os"
)

// syncPath makes a file, or the names in a folder, survive a power cut.
func syncPath(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
