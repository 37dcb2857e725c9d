package verb

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// report is the report file of a Store. Each object's line goes to a journal beside it at
// once, so that a run that was killed can be resumed; at the end the journal becomes part
// of the report. A nil journal writes nothing.
type report struct {
	name    string
	sent    map[string]bool // by the run before
	mu      sync.Mutex
	journal *os.File
	err     error
}

const (
	okMark      = "[OK] "
	failMark    = "[FAIL] "
	journalEnds = ".journal"
)

func openReport(o *Store) (*report, error) {
	r := &report{name: o.Report}
	if o.Report == "" {
		return r, nil
	}
	if o.Resume {
		r.sent = map[string]bool{}
		for _, name := range [...]string{o.Report, o.Report + journalEnds} {
			if err := r.read(name); err != nil {
				return nil, Fail(Usage, "report of the run before: %w", err)
			}
		}
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if o.Resume {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	var err error
	if r.journal, err = os.OpenFile(o.Report+journalEnds, flags, 0o644); err != nil {
		return nil, Fail(Output, "report: %w", err)
	}
	return r, nil
}

// read takes over what a report says was sent.
func (r *report) read(name string) error {
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxListLine)
	for lines.Scan() {
		if path, ok := strings.CutPrefix(lines.Text(), okMark); ok {
			r.sent[path] = true
		}
	}
	return lines.Err()
}

func (r *report) had(name string) bool { return r.sent[name] }

// add records what became of an object.
func (r *report) add(name string, ok bool, err error, status uint16) {
	if r.journal == nil {
		return
	}
	line := okMark + name + "\n"
	if !ok {
		line = fmt.Sprintf("%s%s\t0x%04X\t%s\n", failMark, name, status, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := io.WriteString(r.journal, line); err != nil && r.err == nil {
		r.err = err
	}
}

// finish writes the report.
func (r *report) finish(t *storing) error {
	if r.journal == nil {
		return nil
	}
	if err := r.journal.Close(); err != nil || r.err != nil {
		return firstError(r.err, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(r.name), ".gantry-report-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	w := bufio.NewWriter(tmp)
	r.head(w, t)
	fmt.Fprint(w, "\nFailed Transfers\n")
	if err := r.copy(w, func(line string) string { return failure(line) }); err != nil {
		return err
	}
	fmt.Fprint(w, "\nAll Transfers\n")
	for name := range r.sent {
		fmt.Fprintf(w, "%s%s\n", okMark, name)
	}
	err = r.copy(w, func(line string) string {
		name, ok := strings.CutPrefix(line, okMark)
		if ok && r.sent[name] {
			return ""
		}
		line, _, _ = strings.Cut(line, "\t")
		return line + "\n"
	})
	if err = firstError(err, w.Flush(), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), r.name); err != nil {
		return err
	}
	return os.Remove(r.name + journalEnds)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// head writes what stands before the lists.
func (r *report) head(w io.Writer, t *storing) {
	d, bytes := time.Since(t.start), t.bytes.Load()
	total, sent, failed := t.found.Load(), t.sent.Load(), t.failed.Load()
	fmt.Fprintf(w, "DICOM Store Report\nGenerated: %s\n\nConnection\n  Peer: %s\n  Called AE: %s\n  Calling AE: %s\n",
		time.Now().Format(time.RFC3339), t.o.Addr, t.o.Called, t.o.Calling)
	fmt.Fprintf(w, "\nSummary\n  Total Files: %d\n  Successful: %d\n  Warnings: %d\n  Failed: %d\n", total, sent-t.warned.Load(), t.warned.Load(), failed)
	fmt.Fprintf(w, "  Data Sent: %s\n  Duration: %d ms\n  Throughput: %.2f MB/s\n  Success Rate: %.1f%%\n",
		size(bytes), d.Milliseconds(), rate(bytes, d), 100*float64(sent)/float64(max(1, total)))
	if n := t.skipped.Load(); n > 0 {
		fmt.Fprintf(w, "  Sent Before: %d\n", n)
	}
}

// failure is a line of the journal as the report has failures.
func failure(line string) string {
	rest, ok := strings.CutPrefix(line, failMark)
	if !ok {
		return ""
	}
	f := strings.SplitN(rest, "\t", 3)
	if len(f) < 3 {
		return ""
	}
	return fmt.Sprintf("  File: %s\n  Error: %s\n  Status: %s\n", f[0], f[2], f[1])
}

// copy writes what form makes of each line of the journal.
func (r *report) copy(w io.Writer, form func(string) string) error {
	f, err := os.Open(r.name + journalEnds)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4*maxListLine)
	for lines.Scan() {
		io.WriteString(w, form(lines.Text()))
	}
	return lines.Err()
}
