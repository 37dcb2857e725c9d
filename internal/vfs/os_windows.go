package vfs

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"syscall"
	"unsafe"
)

const (
	errorSharingViolation syscall.Errno = 32
	errorHandleDiskFull   syscall.Errno = 39
	errorDiskFull         syscall.Errno = 112
)

// WriteVec implements File.
func (f *osFile) WriteVec(bufs [][]byte, off int64) (int64, error) {
	return writeEach(f.f, bufs, off)
}

// Sync implements File with FlushFileBuffers.
func (f *osFile) Sync() error { return f.f.Sync() }

// Allocate implements File; it extends without reserving.
func (f *osFile) Allocate(size int64) error { return f.f.Truncate(size) }

// PunchHole implements File by writing zeros.
func (f *osFile) PunchHole(off, n int64) error { return zeroRange(f.f, off, n) }

// syncDir does nothing: NTFS keeps its names in a journal and has no call for it.
func syncDir(string) error { return nil }

func space(name string) (Space, error) {
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return Space{}, err
	}
	var free, total uint64
	proc := syscall.NewLazyDLL("kernel32.dll").NewProc("GetDiskFreeSpaceExW")
	ok, _, err := proc.Call(uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&free)), uintptr(unsafe.Pointer(&total)), 0)
	if ok == 0 {
		return Space{}, &os.PathError{Op: "GetDiskFreeSpaceEx", Path: name, Err: err}
	}
	return Space{Free: int64(min(free, math.MaxInt64)), Total: int64(min(total, math.MaxInt64))}, nil
}

// lock opens the file without sharing, which lasts as long as the handle.
func lock(name string) (io.Closer, error) {
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(p, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		if errors.Is(err, errorSharingViolation) {
			err = ErrLocked
		}
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return os.NewFile(uintptr(h), name), nil
}

// IsNoSpace reports whether err means that no room is left: disk full or quota.
func IsNoSpace(err error) bool {
	return errors.Is(err, errorDiskFull) || errors.Is(err, errorHandleDiskFull)
}

var errNoSpace error = errorDiskFull
