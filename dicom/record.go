package dicom

import (
	"io"
	"sort"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// record is one element, item or fragment. The records of a data set stand in pre-order:
// a sequence, its first item, that item's elements, its second item ... So end, the index
// behind the last record of the subtree, leads to the next record of the same level.
type record struct {
	tag  tag.Tag
	vr   vr.VR
	flag recordFlag
	hdr  uint32 // offset of the header in the buffer
	off  uint32 // offset of the value in the buffer
	len  uint32 // bytes of the value in the buffer, bulk left out; for a bulk value its index
	end  uint32
	kids uint32 // first entry in store.kids, for sequences and fragments
	n    uint32 // number of items or fragments
}

type recordFlag uint16

const (
	flagBulk          recordFlag = 1 << iota // the value is store.bulk[len]
	flagUndefined                            // undefined length, with its delimiter in the buffer
	flagOpen                                 // undefined length whose delimiter is missing
	flagSequence                             // has items
	flagFragments                            // has fragments: encapsulated pixel data
	flagItem                                 // is an item or a fragment
	flagImplicitUN                           // VR UN of undefined length: what is inside is Implicit VR Little Endian
	flagImplicitItems                        // items are Implicit VR although what encloses them is not
	flagImplicit                             // the header has no VR although the syntax wants one
	flagCut                                  // the header promises more bytes than there were
	flagBig                                  // numbers are big endian
)

func (r *record) is(f recordFlag) bool { return r.flag&f != 0 }

// Bulk is a value that was left where it lies.
type Bulk interface {
	io.ReaderAt
	Size() int64 // bytes
}

type bulkValue struct {
	r    io.ReaderAt
	off  int64
	size int64
	at   uint32 // where in the buffer the value was left out
}

// store is what all the DataSets of one tree share. It never changes once built.
type store struct {
	buf     []byte
	recs    []record
	kids    []uint32 // record indexes of items and fragments, sequence by sequence
	bulk    []bulkValue
	enc     encoding
	syntax  uid.UID // it was decoded under, or empty
	charset string  // override, or empty
	flaws   []Flaw
	size    int64 // bytes of input that the data set took
	ordered bool  // tags ascend on every level
}

// next returns the index of the record behind record i on its level.
func (s *store) next(i uint32) uint32 { return s.recs[i].end }

// valueEnd is the offset in the buffer behind the value of r, delimiter left out.
func (r *record) valueEnd() uint32 {
	if r.is(flagBulk) {
		return r.off
	}
	return r.off + r.len
}

// spanEnd is the offset in the buffer behind all that belongs to r.
func (r *record) spanEnd() uint32 {
	if r.is(flagUndefined) && !r.is(flagOpen) {
		return r.valueEnd() + 8
	}
	return r.valueEnd()
}

// bulkIn returns the bulk values that were left out of buf[from:to], in order.
func (s *store) bulkIn(from, to uint32) []bulkValue {
	if len(s.bulk) == 0 {
		return nil
	}
	lo := sort.Search(len(s.bulk), func(i int) bool { return s.bulk[i].at > from })
	hi := lo
	for hi < len(s.bulk) && s.bulk[hi].at <= to {
		hi++
	}
	return s.bulk[lo:hi]
}
