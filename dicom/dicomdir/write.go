package dicomdir

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

const itemHeader = 8

// Len is the number of objects in the directory.
func (b *Builder) Len() int { return len(b.instances) }

// Write writes the directory as a DICOM file, the DICOMDIR. It may be called again after
// more was added.
func (b *Builder) Write(w io.Writer) error {
	head, size, err := b.layout()
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	out.Write(head)
	out.Write(sequenceHeader(size))
	b.root.write(out)
	return out.Flush()
}

// layout gives each record its offset. The head is everything before the sequence.
func (b *Builder) layout() (head []byte, size int64, err error) {
	if len(b.FileSetID) > 16 || strings.Trim(b.FileSetID, fileIDCharacters+" ") != "" {
		return nil, 0, fmt.Errorf("dicomdir: File-set ID %q: want up to 16 of A-Z, 0-9, blank and _", b.FileSetID)
	}
	meta, err := part10.MetaInfo{Class: uid.MediaStorageDirectoryStorage, Instance: uid.New(), Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		return nil, 0, err
	}
	if head, err = part10.AppendHeader(nil, meta); err != nil {
		return nil, 0, err
	}
	// The offsets have a fixed size, so what comes before the records does not change by
	// setting them.
	plain, err := b.set(head, 0, 0)
	if err != nil {
		return nil, 0, err
	}
	start := int64(len(plain) + len(sequenceHeader(0)))
	end := b.root.place(start)
	if end > maxBuilt {
		return nil, 0, errors.New("dicomdir: too many records for offsets of 32 bits")
	}
	b.root.link()
	first, last := uint32(0), uint32(0)
	if n := len(b.root.records); n > 0 {
		first, last = b.root.records[0].at, b.root.records[n-1].at
	}
	head, err = b.set(head, first, last)
	return head, end - start, err
}

// set appends the elements before the records to the file meta information.
func (b *Builder) set(meta []byte, first, last uint32) ([]byte, error) {
	ds, err := new(dicom.DataSet).Edit().
		SetText(tag.FileSetID, b.FileSetID).
		SetInt(tag.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, int64(first)).
		SetInt(tag.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity, int64(last)).
		SetInt(tag.FileSetConsistencyFlag, 0).Build()
	if err != nil {
		return nil, err
	}
	return dicom.AppendEncode(append([]byte(nil), meta...), ds, uid.ExplicitVRLittleEndian)
}

func sequenceHeader(size int64) []byte {
	b := []byte{0x04, 0x00, 0x20, 0x12, 'S', 'Q', 0, 0}
	return binary.LittleEndian.AppendUint32(b, uint32(size))
}

// place gives the records of an entity, and those below, their offsets from at on and
// returns where the last one ends: each record comes before those below it.
func (e *entity) place(at int64) int64 {
	for _, n := range e.records {
		n.at = uint32(at)
		at += itemHeader + int64(len(n.item))
		if n.lower != nil {
			at = n.lower.place(at)
		}
		if at > maxBuilt {
			return at
		}
	}
	return at
}

// link sets the offsets that records refer to each other by.
func (e *entity) link() {
	for i, n := range e.records {
		next, lower := uint32(0), uint32(0)
		if i+1 < len(e.records) {
			next = e.records[i+1].at
		}
		if n.lower != nil {
			lower = n.lower.records[0].at
			n.lower.link()
		}
		n.link(next, lower)
	}
}

// write writes the items; the error stays in w.
func (e *entity) write(w *bufio.Writer) {
	for _, n := range e.records {
		var header [itemHeader]byte
		copy(header[:], []byte{0xFE, 0xFF, 0x00, 0xE0})
		binary.LittleEndian.PutUint32(header[4:], uint32(len(n.item)))
		w.Write(header[:])
		w.Write(n.item)
		if n.lower != nil {
			n.lower.write(w)
		}
	}
}
