// Package part10 reads and writes DICOM files (PS3.10 chapter 7): a preamble, file meta
// information, and one data set.
package part10

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// ImplementationClassUID and ImplementationVersionName name Gantry in the files it
// writes (PS3.7 D.3.3.2).
const (
	ImplementationClassUID    uid.UID = "2.25.137647832764220077022280938474814596932"
	ImplementationVersionName string  = "GANTRY_1"
)

const (
	preambleSize = 128
	maxMeta      = 1 << 20 // bytes of file meta information; real ones have a few hundred
)

// ErrNotDICOM is the error of a file that begins neither with a preamble and DICM
// (PS3.10 7.1) nor with an element.
var ErrNotDICOM = errors.New("not a DICOM file: no DICM prefix and no data element at its start")

// File is a DICOM file whose header has been read. Values from
// dicom.DecodeOptions.BulkMin on are read from the file when asked for, so it must stay
// open as long as they are. It may be used from any number of goroutines.
type File struct {
	// Meta is the file meta information: group 0002 (PS3.10 7.1), empty if missing.
	Meta *dicom.DataSet
	// DataSet is everything behind it.
	DataSet *dicom.DataSet
	// Syntax is the transfer syntax that the data set was read in: Transfer Syntax UID,
	// or what the first element looks like where that is missing.
	Syntax uid.UID
	// HasPreamble reports whether the file begins with a preamble and DICM.
	HasPreamble bool
	// DataSetOffset is where the data set begins, in bytes.
	DataSetOffset int64

	r      *guarded
	size   int64
	closer io.Closer
}

// Open opens a file by name. The caller closes it.
func Open(name string, o dicom.DecodeOptions) (*File, error) {
	f, err := OpenAsFar(name, o)
	if err != nil && f != nil {
		f.Close()
		f = nil
	}
	return f, err
}

// OpenAsFar is Open for files that may be damaged: on an error in the data set the File
// holds what was understood before it, and is to be closed.
func OpenAsFar(name string, o dicom.DecodeOptions) (*File, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	file, err := NewFile(f, st.Size(), o)
	if file == nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	file.closer = f
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return file, err
}

// NewFile reads a DICOM file of size bytes. A syntax in the options overrides the file's
// own. On an error in the data set the File holds what was understood before it.
func NewFile(r io.ReaderAt, size int64, o dicom.DecodeOptions) (*File, error) {
	f := &File{r: &guarded{r: r}, size: size, Meta: new(dicom.DataSet)}
	head := f.r.readHead(size)
	defer f.r.dropHead(head)
	start, err := f.readMeta(o)
	if err != nil {
		return nil, err
	}
	f.DataSetOffset = start
	if o.Syntax == "" {
		o.Syntax = f.Meta.UID(tag.TransferSyntaxUID)
	}
	if o.Syntax == "" {
		o.Syntax = f.guess(start)
	}
	f.Syntax = o.Syntax
	f.DataSet, err = dicom.DecodeAt(io.NewSectionReader(f.r, start, size-start), size-start, o)
	if err == nil && f.DataSet.Len() == 0 && !f.HasPreamble {
		return nil, ErrNotDICOM
	}
	return f, err
}

// readMeta reads preamble and group 0002 and returns where the data set begins.
func (f *File) readMeta(o dicom.DecodeOptions) (int64, error) {
	head := make([]byte, min(preambleSize+4, f.size))
	if _, err := f.r.ReadAt(head, 0); err != nil && err != io.EOF {
		return 0, err
	}
	at := int64(0)
	if len(head) == preambleSize+4 && string(head[preambleSize:]) == "DICM" {
		f.HasPreamble = true
		at = preambleSize + 4
	} else if !plausible(head) {
		return 0, ErrNotDICOM
	}
	n := min(f.size-at, maxMeta)
	meta, err := dicom.DecodeAt(io.NewSectionReader(f.r, at, n), n, dicom.DecodeOptions{
		Syntax: f.metaSyntax(at), Until: 0x00030000, BulkMin: -1, Limits: o.Limits, OnFlaw: ignoreTruncation(o.OnFlaw),
	})
	if err != nil {
		return 0, fmt.Errorf("file meta information: %w", err)
	}
	if e, ok := first(meta); !ok || e.Tag.Group() != 2 {
		return at, nil
	}
	f.Meta = meta
	return at + meta.Size(), nil
}

// ignoreTruncation keeps quiet about the cut that the cap on file meta makes.
func ignoreTruncation(report func(dicom.Flaw) error) func(dicom.Flaw) error {
	if report == nil {
		return nil
	}
	return func(f dicom.Flaw) error {
		if f.Tag.Group() > 2 {
			return nil
		}
		return report(f)
	}
}

func first(ds *dicom.DataSet) (dicom.Element, bool) {
	for e := range ds.All() {
		return e, true
	}
	return dicom.Element{}, false
}

// metaSyntax is Explicit VR Little Endian (PS3.10 7.1), save for the files whose writers
// did not know.
func (f *File) metaSyntax(at int64) uid.UID {
	var b [6]byte
	f.r.ReadAt(b[:], at)
	if b[0] == 2 && b[1] == 0 && (b[4] < 'A' || b[4] > 'Z') {
		return uid.ImplicitVRLittleEndian
	}
	return uid.ExplicitVRLittleEndian
}

// guess finds the transfer syntax of a data set that comes without one.
func (f *File) guess(at int64) uid.UID {
	var b [6]byte
	f.r.ReadAt(b[:], at)
	letters := b[4] >= 'A' && b[4] <= 'Z' && b[5] >= 'A' && b[5] <= 'Z'
	switch {
	case letters && b[0] == 0 && b[1] != 0:
		return uid.ExplicitVRBigEndian
	case letters:
		return uid.ExplicitVRLittleEndian
	}
	return uid.ImplicitVRLittleEndian
}

// plausible reports whether a file without a preamble may begin with a data element: a
// group that comes first in data sets, little or big endian.
func plausible(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	little := b[1] == 0 && (b[0] == 2 || b[0] == 4 || b[0] == 8)
	big := b[0] == 0 && (b[1] == 2 || b[1] == 4 || b[1] == 8)
	return little || big
}

// Size returns the bytes of the whole file.
func (f *File) Size() int64 { return f.size }

// WriteTo writes the file as it is, byte for byte. It implements io.WriterTo.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, io.NewSectionReader(f.r, 0, f.size))
}

// Head returns what stands before the data set: preamble and file meta information.
func (f *File) Head() ([]byte, error) {
	b := make([]byte, f.DataSetOffset)
	_, err := f.r.ReadAt(b, 0)
	if err == io.EOF && f.DataSetOffset == f.size {
		err = nil
	}
	return b, err
}

// DataSetReader reads the bytes of the data set as they stand in the file.
func (f *File) DataSetReader() *io.SectionReader {
	return io.NewSectionReader(f.r, f.DataSetOffset, f.size-f.DataSetOffset)
}

// Close closes a file that Open opened. Later reads of bulk values fail with
// os.ErrClosed.
func (f *File) Close() error {
	if !f.r.close() || f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// guarded refuses reads after Close and lets those under way end first.
type guarded struct {
	mu     sync.RWMutex
	r      io.ReaderAt
	closed bool
	head   []byte // the file's first bytes, while NewFile reads it
}

const headSize = 16 << 10 // has most headers whole, so that one read gets them

var heads sync.Pool // of *[headSize]byte

// readHead reads the beginning of the file, from which the many small reads of its header
// are served then. It is nil if that fails: those reads will tell why.
func (g *guarded) readHead(size int64) *[headSize]byte {
	b, ok := heads.Get().(*[headSize]byte)
	if !ok {
		b = new([headSize]byte)
	}
	n, err := g.r.ReadAt(b[:min(headSize, max(size, 0))], 0)
	if err != nil && err != io.EOF {
		n = 0
	}
	g.head = b[:n]
	return b
}

func (g *guarded) dropHead(b *[headSize]byte) {
	g.head = nil
	heads.Put(b)
}

func (g *guarded) ReadAt(p []byte, off int64) (int, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		return 0, os.ErrClosed
	}
	if off >= 0 && off+int64(len(p)) <= int64(len(g.head)) {
		return copy(p, g.head[off:]), nil
	}
	return g.r.ReadAt(p, off)
}

func (g *guarded) close() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.closed
	g.closed = true
	return !was
}

// Write writes a DICOM file: a zero preamble, meta, and ds in the given syntax. Bulk
// values are copied by range.
func Write(w io.Writer, meta, ds *dicom.DataSet, syntax uid.UID) error {
	b, err := AppendHeader(nil, meta)
	if err != nil {
		return err
	}
	if _, err := w.Write(b); err != nil {
		return err
	}
	return dicom.Encode(w, ds, syntax)
}

// AppendHeader appends preamble, prefix and file meta information to dst.
func AppendHeader(dst []byte, meta *dicom.DataSet) ([]byte, error) {
	dst = append(dst, make([]byte, preambleSize)...)
	dst = append(dst, "DICM"...)
	return dicom.AppendEncode(dst, meta, uid.ExplicitVRLittleEndian)
}

// MetaInfo is what file meta information says (PS3.10 Table 7.1-1).
type MetaInfo struct {
	Class, Instance, Syntax uid.UID
	SourceAE                string // Source Application Entity Title, optional
	SendingAE               string // Sending Application Entity Title, optional
	ReceivingAE             string // Receiving Application Entity Title, optional
}

// Meta builds file meta information with its group length.
func (m MetaInfo) Meta() (*dicom.DataSet, error) {
	e := new(dicom.DataSet).Edit()
	e.SetBytes(tag.FileMetaInformationVersion, 'O'<<8|'B', []byte{0, 1})
	e.SetUID(tag.MediaStorageSOPClassUID, m.Class)
	e.SetUID(tag.MediaStorageSOPInstanceUID, m.Instance)
	e.SetUID(tag.TransferSyntaxUID, m.Syntax)
	e.SetUID(tag.ImplementationClassUID, ImplementationClassUID)
	e.SetText(tag.ImplementationVersionName, ImplementationVersionName)
	for t, ae := range map[tag.Tag]string{
		tag.SourceApplicationEntityTitle:    m.SourceAE,
		tag.SendingApplicationEntityTitle:   m.SendingAE,
		tag.ReceivingApplicationEntityTitle: m.ReceivingAE,
	} {
		if ae != "" {
			e.SetText(t, ae)
		}
	}
	return WithGroupLength(e)
}

// WithGroupLength builds file meta information and gives it the right group length
// (PS3.10 7.1).
func WithGroupLength(e *dicom.Editor) (*dicom.DataSet, error) {
	bare, err := e.Delete(tag.FileMetaInformationGroupLength).Build()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := dicom.Encode(&b, bare, uid.ExplicitVRLittleEndian); err != nil {
		return nil, err
	}
	return bare.Edit().SetInt(tag.FileMetaInformationGroupLength, int64(b.Len())).Build()
}
