package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxVec is the kernel's limit of buffers in one pwritev (UIO_MAXIOV).
const maxVec = 1024

// WriteVec implements File with pwritev.
func (f *osFile) WriteVec(bufs [][]byte, off int64) (int64, error) {
	var done int64
	rest := append([][]byte(nil), bufs...)
	for len(rest) > 0 {
		if len(rest[0]) == 0 {
			rest = rest[1:]
			continue
		}
		n, err := unix.Pwritev(int(f.f.Fd()), rest[:min(len(rest), maxVec)], off+done)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return done, &os.PathError{Op: "pwritev", Path: f.f.Name(), Err: err}
		}
		if n <= 0 {
			return done, io.ErrShortWrite
		}
		done += int64(n)
		rest = advance(rest, n)
	}
	return done, nil
}

// advance drops the first n bytes of bufs.
func advance(bufs [][]byte, n int) [][]byte {
	for len(bufs) > 0 && n >= len(bufs[0]) {
		n -= len(bufs[0])
		bufs = bufs[1:]
	}
	if n > 0 {
		bufs[0] = bufs[0][n:]
	}
	return bufs
}

// Sync implements File with fdatasync, which covers the length.
func (f *osFile) Sync() error {
	for {
		err := syscall.Fdatasync(int(f.f.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return pathError("fdatasync", f.f.Name(), err)
		}
	}
}

// Allocate implements File. Where the file system cannot reserve, it only extends.
func (f *osFile) Allocate(size int64) error {
	err := syscall.Fallocate(int(f.f.Fd()), 0, 0, size)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		return f.f.Truncate(size)
	}
	return pathError("fallocate", f.f.Name(), err)
}

// PunchHole implements File.
func (f *osFile) PunchHole(off, n int64) error {
	err := syscall.Fallocate(int(f.f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		return zeroRange(f.f, off, n)
	}
	return pathError("fallocate", f.f.Name(), err)
}

func networkFS(name string) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(name, &st); err != nil {
		return pathError("statfs", name, err)
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.AFS_SUPER_MAGIC:
		return fmt.Errorf("%s is %w", name, ErrNetwork)
	}
	return nil
}
