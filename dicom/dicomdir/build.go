package dicomdir

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Builder makes a Basic Directory. It holds the encoded records, about 300 bytes for an
// image. The zero value is an empty directory without a File-set ID. A Builder is for one
// goroutine.
type Builder struct {
	// FileSetID names the file-set: up to 16 of A-Z, 0-9, blank and underscore. It may be
	// empty.
	FileSetID string
	// Extra are further keys by record type: PATIENT, STUDY, SERIES, IMAGE and so on.
	Extra map[string][]Key
	// Invent makes up values of type 1 that an object lacks, such as a Study ID, so that
	// it can be in the directory. Without it Add refuses the object.
	Invent bool
	// LooseFileIDs takes File IDs that PS3.10 8.2 does not allow: readers may not find the
	// files.
	LooseFileIDs bool

	root      entity
	instances map[uid.UID]struct{}
	files     map[string]struct{}
	keys      map[string][]Key
}

// entity is a directory entity: records side by side.
type entity struct {
	records []*node
	byKey   map[string]*node
}

// node is a record with what is below it.
type node struct {
	item  []byte // the elements, encoded; the offsets in it are set by Write
	lower *entity
	at    uint32 // its offset in the file
}

// maxBuilt bounds a directory: its offsets have 32 bits, and so has its sequence.
const maxBuilt = 1<<32 - 1<<16

// Add puts an object into the directory: a record of it, and those above it that are not
// there yet. The data set may end before the pixel data; fileID is where the file is and
// syntax how it is encoded. After an error the directory is as it was.
func (b *Builder) Add(fileID []string, syntax uid.UID, ds *dicom.DataSet) error {
	class, instance := ds.UID(tag.SOPClassUID), ds.UID(tag.SOPInstanceUID)
	check := CheckFileID
	if b.LooseFileIDs {
		check = checkLoose
	}
	if err := check(fileID); err != nil {
		return err
	}
	name := fmt.Sprintf("%q", fileID)
	_, twice := b.instances[instance]
	_, used := b.files[name]
	switch {
	case !class.Valid() || !instance.Valid() || !syntax.Valid():
		return errors.New("dicomdir: SOP Class UID, SOP Instance UID or transfer syntax is missing or wrong")
	case twice:
		return fmt.Errorf("dicomdir: instance %s is in the directory already", instance)
	case used:
		return fmt.Errorf("dicomdir: file %s is in the directory already", name)
	}
	kind, err := recordType(class, ds)
	if err != nil {
		return err
	}
	if err := b.add(kind, fileID, syntax, ds); err != nil {
		return err
	}
	if b.instances == nil {
		b.instances, b.files = map[uid.UID]struct{}{}, map[string]struct{}{}
	}
	b.instances[instance], b.files[name] = struct{}{}, struct{}{}
	return nil
}

// recordType is that of the class; images of classes to come are images too.
func recordType(class uid.UID, ds *dicom.DataSet) (string, error) {
	if t, ok := RecordType(class); ok {
		return t, nil
	}
	if ds.Has(tag.Rows) && ds.Has(tag.Columns) {
		return "IMAGE", nil
	}
	return "", fmt.Errorf("dicomdir: no record type is known for SOP Class %s", class)
}

// step is a record on the way from the root to an object's.
type step struct {
	kind, key string
}

// add makes the missing records, and puts them in place when all are made.
func (b *Builder) add(kind string, fileID []string, syntax uid.UID, ds *dicom.DataSet) error {
	at := &b.root
	var above *entity // where the first new record goes
	var fresh *node
	var key string
	last := (*node)(nil)
	for _, s := range path(kind, ds) {
		if n := at.byKey[s.key]; fresh == nil && n != nil && s.kind != kind {
			at = n.lower
			continue
		}
		n, err := b.node(s.kind, len(at.records)+1, kind, fileID, syntax, ds)
		if err != nil {
			return err
		}
		if fresh == nil {
			above, fresh, key = at, n, s.key
		} else {
			last.lower.put(s.key, n)
		}
		last, at = n, n.lower
	}
	above.put(key, fresh)
	return nil
}

func (e *entity) put(key string, n *node) {
	e.records = append(e.records, n)
	if n.lower == nil {
		return
	}
	if e.byKey == nil {
		e.byKey = map[string]*node{}
	}
	e.byKey[key] = n
}

// path leads from the root to the record of an object. Patients are told apart by their ID
// and its issuer, and by their names where they have no ID.
func path(kind string, ds *dicom.DataSet) []step {
	if stand(kind) {
		return []step{{kind: kind}}
	}
	patient := "id\\" + ds.Text(tag.PatientID) + `\` + ds.Text(tag.IssuerOfPatientID)
	if ds.Text(tag.PatientID) == "" {
		patient = "name\\" + ds.Text(tag.PatientName)
	}
	return []step{
		{"PATIENT", patient},
		{"STUDY", string(ds.UID(tag.StudyInstanceUID))},
		{"SERIES", string(ds.UID(tag.SeriesInstanceUID))},
		{kind: kind},
	}
}

// node makes one record; those of kind refer to the file.
func (b *Builder) node(recordType string, number int, kind string, fileID []string, syntax uid.UID, ds *dicom.DataSet) (*node, error) {
	e := new(dicom.DataSet).Edit()
	e.SetInt(tag.OffsetOfTheNextDirectoryRecord, 0)
	e.SetInt(tag.RecordInUseFlag, 0xFFFF)
	e.SetInt(tag.OffsetOfReferencedLowerLevelDirectoryEntity, 0)
	e.SetText(tag.DirectoryRecordType, recordType)
	if recordType == kind {
		e.SetTextAs(tag.ReferencedFileID, vr.CS, fileID...)
		e.SetUID(tag.ReferencedSOPClassUIDInFile, ds.UID(tag.SOPClassUID))
		e.SetUID(tag.ReferencedSOPInstanceUIDInFile, ds.UID(tag.SOPInstanceUID))
		e.SetUID(tag.ReferencedTransferSyntaxUIDInFile, syntax)
	}
	if err := b.keyed(e, b.keysOf(recordType), ds, number); err != nil {
		if missing, ok := errors.AsType[*MissingError](err); ok {
			missing.Record = recordType
		}
		return nil, err
	}
	record, err := e.Build()
	if err != nil {
		return nil, err
	}
	item, err := dicom.AppendEncode(nil, record, uid.ExplicitVRLittleEndian)
	if err != nil {
		return nil, err
	}
	n := &node{item: slices.Clip(item)}
	if recordType != kind {
		n.lower = new(entity)
	}
	return n, nil
}

func (b *Builder) keysOf(recordType string) []Key {
	keys, ok := b.keys[recordType]
	if !ok {
		if b.keys == nil {
			b.keys = map[string][]Key{}
		}
		keys = merged(recordType, b.Extra[recordType])
		b.keys[recordType] = keys
	}
	return keys
}

// Where the offsets stand in the encoded record: they are its first elements
// (PS3.3 Table F.3-3). Headers in Explicit VR have 8 bytes; the flag between has 10 in all.
const (
	nextAt  = 8
	lowerAt = 12 + 10 + 8
)

func (n *node) link(next, lower uint32) {
	binary.LittleEndian.PutUint32(n.item[nextAt:], next)
	binary.LittleEndian.PutUint32(n.item[lowerAt:], lower)
}
