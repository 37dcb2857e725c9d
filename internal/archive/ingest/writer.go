package ingest

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Writer takes one object. It is for one goroutine.
type Writer struct {
	in     *Ingester
	h      Hint
	begun  time.Time
	staged blob.Staged
	err    error
	ended  bool
}

// Write takes a part of the data set. An error is an *Error; Commit would return it too.
func (w *Writer) Write(p []byte) (int, error) {
	if w.ended {
		return 0, errors.New("write to an object that has ended")
	}
	n, err := w.staged.Write(p)
	if err != nil {
		w.err = refusal(err)
		return n, w.err
	}
	return n, nil
}

// ReadFrom takes the data set from r to its end; an error of r is not one of the archive.
func (w *Writer) ReadFrom(r io.Reader) (int64, error) {
	if g, ok := w.staged.(blob.Roomy); ok && !w.ended {
		return w.fill(g, r)
	}
	buf := make([]byte, 64<<10)
	var done int64
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil {
				return done, werr
			}
			done += int64(n)
		}
		if errors.Is(err, io.EOF) {
			return done, nil
		}
		if err != nil {
			return done, err
		}
	}
}

// fill reads into the store's own memory.
func (w *Writer) fill(g blob.Roomy, r io.Reader) (done int64, err error) {
	for {
		room, err := g.Room()
		if err != nil {
			w.err = refusal(err)
			return done, w.err
		}
		n, err := r.Read(room)
		g.Filled(n)
		done += int64(n)
		if errors.Is(err, io.EOF) {
			return done, nil
		}
		if err != nil {
			return done, err
		}
	}
}

// Discard drops the object; it does nothing after Commit.
func (w *Writer) Discard() {
	if !w.ended {
		w.ended = true
		w.staged.Discard()
	}
}

// Commit checks the object and stores it. When it returns without an error, bytes and
// index entry survive a power cut; any error is an *Error. Once the object is queued,
// the end of ctx is not waited for nor heeded.
func (w *Writer) Commit(ctx context.Context) (Outcome, error) {
	if w.ended {
		return Outcome{}, &Error{Status: StatusOutOfResources, Comment: "object has ended already"}
	}
	out, err := w.commit(ctx)
	if err != nil {
		w.in.stats.refused.Add(1)
		w.staged.Discard()
		w.ended = true
		return Outcome{}, refusal(err)
	}
	if !w.ended { // nothing was stored
		w.Discard()
	}
	return out, nil
}

func (w *Writer) commit(ctx context.Context) (Outcome, error) {
	if w.err != nil {
		return Outcome{}, w.err
	}
	if err := context.Cause(ctx); err != nil {
		return Outcome{}, err
	}
	j, err := w.parse(ctx)
	if err != nil {
		return Outcome{}, err
	}
	out, decided, err := w.decide(ctx, j)
	if err != nil || decided {
		return out, err
	}
	if err := w.staged.Prepare(ctx, &j.env); err != nil {
		return Outcome{}, err
	}
	a := w.in.submit(j)
	w.ended = a.stored
	return a.out, a.err
}

// decide is the Ingester's; an object that was deleted and comes again is restored, or is
// new when it was purged meanwhile.
func (w *Writer) decide(ctx context.Context, j *job) (Outcome, bool, error) {
	for {
		j.since, j.restore = w.in.recent.now(), ""
		out, decided, err := w.in.decide(ctx, j)
		if err != nil || j.restore == "" {
			return out, decided, err
		}
		err = w.in.Restore(ctx, Target{out.Instance, j.restore})
		if !errors.Is(err, index.ErrNotFound) {
			return out, true, err
		}
	}
}

// parse makes the job of an object. A header takes memory that its sender chooses, up to
// the bounds of header, so only a few are parsed at a time.
func (w *Writer) parse(ctx context.Context) (*job, error) {
	select {
	case w.in.parsing <- struct{}{}:
		defer func() { <-w.in.parsing }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	env, ds, err := w.read()
	if err != nil {
		return nil, err
	}
	if w.h.Class == "" || w.h.Instance == "" {
		if err := w.restage(ctx, &env); err != nil {
			return nil, err
		}
		if _, ds, err = w.read(); err != nil { // its large values lie in the new place
			return nil, err
		}
	}
	j := &job{env: env, staged: w.staged, answer: make(chan answer, 1)}
	if j.entry, err = index.EntryOf(ds, env, record.Stored{}); err != nil {
		return nil, &Error{Status: StatusCannotUnderstand, Comment: "header cannot be indexed", Err: err}
	}
	return j, nil
}

// read parses the header and checks it.
func (w *Writer) read() (record.Envelope, *dicom.DataSet, error) {
	ds, err := header(w.staged, w.staged.Size(), w.h.Syntax)
	if err != nil {
		return record.Envelope{}, nil, &Error{Status: StatusCannotUnderstand, Comment: "data set cannot be read", Err: err}
	}
	env := record.Envelope{V: record.Version, Kind: record.Put, ID: record.NewID(w.begun), Received: w.begun,
		Source: w.h.Source, Called: w.h.Called, Address: w.h.Address, Association: w.h.Association, Syntax: w.h.Syntax, Came: w.h.Came,
		Number: 1, Current: true, Held: w.h.Hold}
	if len(w.h.Meta) <= maxMeta {
		env.Meta = w.h.Meta
	}
	if err := w.identify(&env, ds); err != nil {
		return env, nil, err
	}
	env.PatientID = bounded(ds.Text(tag.PatientID))
	env.Issuer = bounded(ds.Text(tag.IssuerOfPatientID))
	if env.Issuer == "" && env.PatientID != "" {
		env.Issuer = w.in.o.Issuer(w.h.Source)
	}
	env.StudyDate = bounded(ds.Text(tag.StudyDate))
	return env, ds, nil
}

// pixels is where headers end: all elements of pixel data lie in this group.
const pixels = tag.Tag(0x7FE00000)

// Bounds of a header: what is read of it, large values left out, and its elements.
const (
	maxHeader   = 32 << 20
	maxElements = 1_000_000
)

// header reads all before the pixel data.
func header(r io.ReaderAt, size int64, syntax uid.UID) (*dicom.DataSet, error) {
	o := dicom.DecodeOptions{Syntax: syntax, Until: pixels, Limits: dicom.Limits{MaxElements: maxElements, MaxInflated: maxHeader}}
	b := &budgetReader{r: r, left: maxHeader}
	ds, err := dicom.DecodeAt(b, size, o)
	if b.left < 0 {
		return nil, errHeader
	}
	return ds, err
}

var errHeader = errors.New("header of more than 32 MiB")

// budgetReader reads at most left bytes.
type budgetReader struct {
	r    io.ReaderAt
	left int64
}

// ReadAt implements io.ReaderAt.
func (b *budgetReader) ReadAt(p []byte, off int64) (int, error) {
	if b.left < 0 {
		return 0, errHeader
	}
	n, err := b.r.ReadAt(p, off)
	if b.left -= int64(n); b.left < 0 {
		return 0, errHeader
	}
	return n, err
}

// bounded keeps odd values from growing an envelope; the data set has them whole.
func bounded(s string) string {
	const most = 1024
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// identify takes the UIDs from the data set: all must be there, and be those of the
// command (PS3.4 B.2.3).
func (w *Writer) identify(env *record.Envelope, ds *dicom.DataSet) error {
	var missing []tag.Tag
	for _, f := range []struct {
		t   tag.Tag
		dst *uid.UID
	}{{tag.SOPClassUID, &env.Class}, {tag.SOPInstanceUID, &env.Instance}, {tag.StudyInstanceUID, &env.Study}, {tag.SeriesInstanceUID, &env.Series}} {
		*f.dst = ds.UID(f.t)
		if !usable(*f.dst) {
			missing = append(missing, f.t)
		}
	}
	if len(missing) > 0 {
		return &Error{Status: StatusCannotUnderstand, Comment: "UID missing or too long", Offending: missing}
	}
	if w.h.Class != "" && w.h.Class != env.Class {
		return &Error{Status: StatusMismatch, Comment: "SOP Class differs from command", Offending: []tag.Tag{tag.SOPClassUID}}
	}
	if w.h.Instance != "" && w.h.Instance != env.Instance {
		return &Error{Status: StatusMismatch, Comment: "SOP Instance differs from command", Offending: []tag.Tag{tag.SOPInstanceUID}}
	}
	return nil
}

// usable reports whether u can name something: archives meet UIDs that break the rules of
// PS3.5 9.1 and keep them, but not empty, endless or unprintable ones.
func usable(u uid.UID) bool {
	if u == "" || len(u) > uid.MaxLength {
		return false
	}
	for i := range len(u) {
		if u[i] <= ' ' || u[i] > '~' {
			return false
		}
	}
	return true
}

// restage copies the object behind the head that could not be made before.
func (w *Writer) restage(ctx context.Context, env *record.Envelope) error {
	old := w.staged
	w.h.Class, w.h.Instance = env.Class, env.Instance
	if err := w.stage(ctx); err != nil {
		w.staged = old
		return err
	}
	defer old.Discard()
	_, err := io.Copy(w.staged, io.NewSectionReader(old, 0, old.Size()))
	return err
}
