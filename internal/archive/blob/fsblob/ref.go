package fsblob

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
)

// place is a Ref taken apart. A packed object has a segment and the offset of its body, a
// file has a path.
type place struct {
	segment    segmentID
	offset     int64
	head, size int64
	path       string
}

// ref writes "p.<segment>.<offset>.<head>.<size>", "q.<segment>.<generation>.<offset>.
// <head>.<size>" for a segment that was rewritten, or "f.<head>.<size>.<path>", numbers in
// base 36.
func (p place) ref() record.Ref {
	switch {
	case p.path != "":
		return record.Ref("f." + base36(p.head, p.size) + "." + p.path)
	case p.segment.generation > 0:
		return record.Ref("q." + base36(int64(p.segment.number), int64(p.segment.generation), p.offset, p.head, p.size))
	}
	return record.Ref("p." + base36(int64(p.segment.number), p.offset, p.head, p.size))
}

func base36(numbers ...int64) string {
	var b []byte
	for i, n := range numbers {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendInt(b, n, 36)
	}
	return string(b)
}

// FileOf returns the path, below objects/ and with slashes, of an object that is a file of
// its own.
func FileOf(r record.Ref) (path string, ok bool) {
	p, err := parseRef(r)
	return p.path, err == nil && p.path != ""
}

// Place says where an object lies, whatever its size: the path of a file may come to hold
// another object when the first is purged, a place in a segment never does.
func (s *Store) Place(r record.Ref) string {
	if path, ok := FileOf(r); ok {
		return path
	}
	return string(r)
}

// Where returns the file that an object lies in, relative to the store's folder and with
// slashes, and how long the file must be at least.
func Where(r record.Ref) (file string, least int64, ok bool) {
	p, err := parseRef(r)
	switch {
	case err != nil:
		return "", 0, false
	case p.path != "":
		return "objects/" + p.path, p.size, true
	}
	return "log/" + p.segment.String(), p.offset + p.size, true
}

func parseRef(r record.Ref) (place, error) {
	bad := fmt.Errorf("%w: reference %.80q", blob.ErrNotFound, string(r))
	kind, rest, _ := strings.Cut(string(r), ".")
	switch kind {
	case "p", "q":
		f := strings.Split(rest, ".")
		if kind == "p" {
			f = slices.Insert(f, min(1, len(f)), "0")
		}
		if len(f) != 5 {
			return place{}, bad
		}
		n, err := numbers(f)
		if err != nil || n[3] > n[4] || n[2] > 1<<62-n[4] || n[1] > 1<<31-1 || (n[1] > 0) != (kind == "q") {
			return place{}, bad
		}
		return place{segment: segmentID{uint64(n[0]), uint32(n[1])}, offset: n[2], head: n[3], size: n[4]}, nil
	case "f":
		f := strings.SplitN(rest, ".", 3)
		if len(f) != 3 {
			return place{}, bad
		}
		n, err := numbers(f[:2])
		if err != nil || n[0] > n[1] || !filepath.IsLocal(filepath.FromSlash(f[2])) {
			return place{}, bad
		}
		return place{head: n[0], size: n[1], path: f[2]}, nil
	}
	return place{}, bad
}

func numbers(f []string) ([5]int64, error) {
	var out [5]int64
	var errs error
	for i, s := range f {
		v, err := strconv.ParseUint(s, 36, 62)
		errs, out[i] = errors.Join(errs, err), int64(v)
	}
	return out, errs
}
