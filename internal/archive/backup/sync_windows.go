package backup

import (
	"errors"
	"os"
)

// syncPath makes a file survive a power cut. Windows keeps the names in a folder by itself.
func syncPath(name string) error {
	if st, err := os.Stat(name); err != nil || st.IsDir() {
		return err
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
