package ingest_test

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gantry/internal/vfs"
)

// call is a system call of a recording by strace -f -y -xx.
type call struct {
	name, args string
	result     int64
	begin, end int // lines
}

var (
	traceLine    = regexp.MustCompile(`^\d+ +`)
	traceResumed = regexp.MustCompile(`^<\.\.\. \w+ resumed>`)
	traceCall    = regexp.MustCompile(`^(\w+)\((.*)\) += (-?\d+)`)
	traceFile    = regexp.MustCompile(`^(\d+)<([^>]*)>`)
	traceString  = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
)

// readTrace returns the calls that succeeded, in the order of their ends.
func readTrace(name string) ([]call, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	type open struct {
		text  string
		begin int
	}
	waiting := map[string]open{}
	var out []call
	for line := 0; s.Scan(); line++ {
		text := s.Text()
		pid := traceLine.FindString(text)
		text = text[len(pid):]
		begin := line
		if head, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
			waiting[pid] = open{head, line}
			continue
		}
		if r := traceResumed.FindString(text); r != "" {
			w := waiting[pid]
			text, begin = w.text+text[len(r):], w.begin
		}
		m := traceCall.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		n, err := strconv.ParseInt(m[3], 10, 64)
		if err != nil || n < 0 {
			continue
		}
		out = append(out, call{m[1], m[2], n, begin, line})
	}
	return out, s.Err()
}

func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return s
	}
	return string(b)
}

// file returns the number and the name of the file that a call is about.
func (c *call) file() (fd int, name string) {
	m := traceFile.FindStringSubmatch(c.args)
	if m == nil {
		return -1, ""
	}
	fd, _ = strconv.Atoi(m[1])
	return fd, unhex(m[2])
}

// texts returns the string arguments: names, or what is written.
func (c *call) texts() []string {
	var out []string
	for _, m := range traceString.FindAllStringSubmatch(c.args, -1) {
		out = append(out, unhex(m[1]))
	}
	return out
}

// number returns an argument counted from the end.
func (c *call) number(fromEnd int) int64 {
	f := strings.Split(c.args, ", ")
	n, _ := strconv.ParseInt(f[len(f)-fromEnd], 10, 64)
	return n
}

// isSync reports whether a call makes something durable: what was written before it began.
func (c *call) isSync() bool { return c.name == "fsync" || c.name == "fdatasync" }

// said returns what a call writes to standard output.
func (c *call) said() string {
	if fd, _ := c.file(); c.name != "write" || fd != 1 {
		return ""
	}
	return strings.Join(c.texts(), "")
}

// disk is what a recording made of a folder. Lazy are files whose syncs are left out, to
// see that the test would notice.
type disk struct {
	*vfs.Mem
	dir  string
	lazy func(name string) bool
}

func newDisk(dir string) (*disk, error) {
	m := vfs.NewMem()
	return &disk{Mem: m, dir: dir}, vfs.MkdirAll(m, dir, 0o700)
}

func (d *disk) inside(name string) bool {
	return (name == d.dir || strings.HasPrefix(name, d.dir+"/")) && !strings.HasSuffix(name, "-shm")
}

var errUnknownCall = errors.New("the test does not know this call")

// apply repeats a call.
func (d *disk) apply(c *call) error {
	fd, name := c.file()
	names := c.texts()
	switch c.name {
	case "open", "openat":
		if name = names[0]; !d.inside(name) || !strings.Contains(c.args, "O_CREAT") {
			return nil
		}
		flag := os.O_RDWR | os.O_CREATE
		if strings.Contains(c.args, "O_TRUNC") {
			flag |= os.O_TRUNC
		}
		f, err := d.OpenFile(name, flag, 0)
		if err != nil {
			return err
		}
		return f.Close()
	case "mkdir", "mkdirat":
		if !d.inside(names[0]) {
			return nil
		}
		return d.Mkdir(names[0], 0)
	case "rename", "renameat", "renameat2":
		return d.Rename(names[0], names[1])
	case "linkat":
		return d.Link(names[0], names[1])
	case "unlink", "unlinkat":
		if !d.inside(names[0]) {
			return nil
		}
		return d.Remove(names[0])
	}
	if fd <= 2 || !d.inside(name) {
		return nil
	}
	if c.isSync() {
		return d.sync(name)
	}
	f, err := d.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	switch c.name {
	case "pwrite64", "pwritev":
		data := []byte(strings.Join(names, ""))
		if int64(len(data)) < c.result {
			return fmt.Errorf("%d bytes recorded of %d", len(data), c.result)
		}
		_, err = f.WriteAt(data[:c.result], c.number(1))
		return err
	case "ftruncate":
		return f.Truncate(c.number(1))
	case "fallocate":
		if mode := c.number(3); mode != 0 {
			return f.PunchHole(c.number(2), c.number(1))
		}
		return f.Allocate(c.number(2) + c.number(1))
	}
	return fmt.Errorf("%w: %s of %s", errUnknownCall, c.name, name)
}

func (d *disk) sync(name string) error {
	if d.lazy != nil && d.lazy(name) {
		return nil
	}
	st, err := d.Stat(name)
	if err != nil {
		return err
	}
	if st.IsDir() {
		return d.SyncDir(name)
	}
	f, err := d.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// export writes what is in a folder to the machine's own disk.
func export(m *vfs.Mem, from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	entries, err := m.ReadDir(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // not even the folder survived
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, dst := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		if e.IsDir() {
			err = export(m, name, dst)
		} else {
			err = exportFile(m, name, dst)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func exportFile(m *vfs.Mem, name, to string) error {
	f, err := m.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := f.Size()
	if err != nil {
		return err
	}
	b := make([]byte, n)
	if n > 0 {
		if _, err := f.ReadAt(b, 0); err != nil {
			return err
		}
	}
	return os.WriteFile(to, b, 0o600)
}
