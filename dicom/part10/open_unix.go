//go:build unix

package part10

import (
	"io/fs"
	"os"
	"syscall"
)

// openFile opens a file as os.Open does, without what makes a descriptor fit to be waited
// for: five of the eleven system calls that reading the header of a regular file took.
func openFile(name string) (*os.File, error) {
	for {
		fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), name), nil
		case syscall.EINTR:
		default:
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
}
