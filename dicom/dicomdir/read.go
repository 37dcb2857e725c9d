package dicomdir

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

// maxSize bounds what of a directory is read into memory: 100,000 objects need 30 MB.
const maxSize = 1 << 30

// maxDepth bounds the tree: PS3.3 F.4 has four levels.
const maxDepth = 16

// maxFlaws bounds what is told about one directory.
const maxFlaws = 100

// Directory is a Basic Directory that has been read. It may be used from any number of
// goroutines.
type Directory struct {
	// DataSet is all of it.
	DataSet *dicom.DataSet
	// FileSetID is the name of the file-set, often empty.
	FileSetID string
	// Inconsistent is the File-set Consistency Flag: some files may be missing, or may
	// have no record.
	Inconsistent bool
	// Root are the uppermost records, in order.
	Root []*Record
	// Flaws says what is wrong with the records, at most the first 100 of it.
	Flaws []error

	records []*Record // in the order of the file
}

// Record is a directory record.
type Record struct {
	// Type is Directory Record Type, such as PATIENT.
	Type string
	// Inactive is a Record In-use Flag of 0: the record counts as deleted.
	Inactive bool
	// FileID is the file that the record refers to, nil for none. It comes from outside:
	// ask IsLocal before opening it.
	FileID []string
	// DataSet is the record's item with its keys.
	DataSet *dicom.DataSet
	// Children are the records of the lower-level entity.
	Children []*Record

	offset      int64
	next, lower int64
	placed      bool
}

// Class, Instance and Syntax are what the record says about its file, empty for records
// without one.
func (r *Record) Class() uid.UID { return r.DataSet.UID(tag.ReferencedSOPClassUIDInFile) }

// Instance returns Referenced SOP Instance UID in File.
func (r *Record) Instance() uid.UID { return r.DataSet.UID(tag.ReferencedSOPInstanceUIDInFile) }

// Syntax returns Referenced Transfer Syntax UID in File.
func (r *Record) Syntax() uid.UID { return r.DataSet.UID(tag.ReferencedTransferSyntaxUIDInFile) }

// ErrNoDirectory says that a DICOM file is no directory.
var ErrNoDirectory = errors.New("dicomdir: no Directory Record Sequence (0004,1220): the file is no DICOMDIR")

// Open reads the directory in a file. Nothing stays open.
func Open(name string) (*Directory, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	d, err := Read(f, st.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

// Read reads a directory of size bytes.
func Read(r io.ReaderAt, size int64) (*Directory, error) {
	if size > maxSize {
		return nil, fmt.Errorf("dicomdir: %d bytes, and at most %d are read", size, int64(maxSize))
	}
	f, err := part10.NewFile(r, size, dicom.DecodeOptions{BulkMin: -1})
	if err != nil {
		return nil, err
	}
	ds := f.DataSet
	if !ds.Has(tag.DirectoryRecordSequence) {
		return nil, ErrNoDirectory
	}
	flag, err := ds.Int(tag.FileSetConsistencyFlag)
	d := &Directory{DataSet: ds, FileSetID: ds.Text(tag.FileSetID), Inconsistent: err == nil && flag != 0}
	d.read(f.DataSetOffset)
	d.link()
	return d, nil
}

// read makes the records, which refer to each other by offsets in the file
// (PS3.3 F.3.2.2).
func (d *Directory) read(base int64) {
	for _, item := range d.DataSet.Items(tag.DirectoryRecordSequence) {
		r := &Record{DataSet: item, Type: item.Text(tag.DirectoryRecordType), FileID: item.Texts(tag.ReferencedFileID), offset: base + item.ItemOffset()}
		if flag, err := item.Int(tag.RecordInUseFlag); err == nil {
			r.Inactive = flag == 0
		}
		r.next = d.offset(r, tag.OffsetOfTheNextDirectoryRecord)
		r.lower = d.offset(r, tag.OffsetOfReferencedLowerLevelDirectoryEntity)
		d.records = append(d.records, r)
	}
}

func (d *Directory) offset(r *Record, t tag.Tag) int64 {
	n, err := r.DataSet.Int(t)
	if err != nil {
		d.flaw("record at %d: %w", r.offset, err)
	}
	return n
}

func (d *Directory) flaw(format string, args ...any) {
	if len(d.Flaws) < maxFlaws {
		d.Flaws = append(d.Flaws, fmt.Errorf("dicomdir: "+format, args...))
	}
}

// at finds the record that stands at an offset: items come in the order of offsets.
func (d *Directory) at(offset int64) *Record {
	i, ok := slices.BinarySearchFunc(d.records, offset, func(r *Record, o int64) int { return cmp.Compare(r.offset, o) })
	if !ok {
		return nil
	}
	return d.records[i]
}

// link makes the tree. Where the offsets lead nowhere, records stand below each other as
// their types and their order in the file have it.
func (d *Directory) link() {
	if len(d.records) == 0 {
		return
	}
	first, err := d.DataSet.Int(tag.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity)
	if err != nil || d.at(first) == nil {
		d.flaw("the root begins at offset %d, where no record stands: the order of the records counts", first)
		d.byOrder()
		return
	}
	d.Root = d.chain(first, 0)
	lost := 0
	for _, r := range d.records {
		if !r.placed {
			lost++
		}
	}
	if lost > 0 {
		d.flaw("%d of %d records are not in the tree", lost, len(d.records))
	}
}

// chain collects the records of an entity and what is below them. A record that is in the
// tree already ends it: that is a cycle, or an entity with two parents.
func (d *Directory) chain(offset int64, depth int) []*Record {
	var out []*Record
	for offset != 0 {
		r := d.at(offset)
		switch {
		case r == nil:
			d.flaw("no record at offset %d", offset)
			return out
		case r.placed:
			d.flaw("the record at offset %d is referred to twice", offset)
			return out
		case depth >= maxDepth:
			d.flaw("records more than %d levels deep", maxDepth)
			return out
		}
		r.placed = true
		out = append(out, r)
		offset = r.next
	}
	for _, r := range out {
		if r.lower != 0 {
			r.Children = d.chain(r.lower, depth+1)
		}
	}
	return out
}

// levels are the record types that have others below them (PS3.3 Table F.4-1).
var levels = []string{"PATIENT", "STUDY", "SERIES"}

// stand reports whether records of a type are in the root entity beside the patients
// (PS3.3 Table F.4-1).
func stand(recordType string) bool {
	switch recordType {
	case "HANGING PROTOCOL", "PALETTE", "IMPLANT", "IMPLANT GROUP", "IMPLANT ASSY", "INVENTORY":
		return true
	}
	return false
}

// byOrder makes the tree of a directory whose offsets are of no use.
func (d *Directory) byOrder() {
	var open [3]*Record // the last record of each of levels
	for _, r := range d.records {
		r.placed = true
		level := slices.Index(levels, r.Type)
		if level < 0 {
			level = len(levels)
		}
		var parent *Record
		for i := level - 1; i >= 0 && parent == nil; i-- {
			parent = open[i]
		}
		if parent == nil || stand(r.Type) {
			d.Root = append(d.Root, r)
		} else {
			parent.Children = append(parent.Children, r)
		}
		if level < len(levels) {
			clear(open[level:])
			open[level] = r
		}
	}
}

// Len is the number of records, in the tree or not.
func (d *Directory) Len() int { return len(d.records) }

// Walk yields the records of the tree, each before those below it, with its level from 0.
func (d *Directory) Walk() iter.Seq2[int, *Record] {
	return func(yield func(int, *Record) bool) { walk(d.Root, 0, yield) }
}

func walk(records []*Record, level int, yield func(int, *Record) bool) bool {
	for _, r := range records {
		if !yield(level, r) || !walk(r.Children, level+1, yield) {
			return false
		}
	}
	return true
}

// Files yields the records that refer to a file and are in use, in the order of the file,
// also those that are not in the tree.
func (d *Directory) Files() iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		for _, r := range d.records {
			if len(r.FileID) > 0 && !r.Inactive && !yield(r) {
				return
			}
		}
	}
}
