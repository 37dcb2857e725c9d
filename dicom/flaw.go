package dicom

import (
	"fmt"

	"gantry/dicom/tag"
)

// FlawKind names a deviation from the standard that decoding gets over.
type FlawKind uint8

// The deviations, and what tolerant decoding does about each.
const (
	FlawTruncated       FlawKind = iota + 1 // the input ends inside an element: what is there is kept
	FlawOverrun                             // a value reaches beyond its item or sequence: cut there
	FlawOrder                               // tags do not ascend: kept in the order found
	FlawDuplicate                           // a tag occurs again: all kept, the first one answers
	FlawOddLength                           // a value of odd length: kept
	FlawUnknownVR                           // VR letters that the standard does not have: read as it foresees for VRs to come
	FlawBadVR                               // VR bytes that are no letters: the element is read as Implicit VR
	FlawMixedVR                             // the data set turns out to have the other kind of VR than its syntax says
	FlawStrayDelimiter                      // a delimitation item where none belongs: skipped
	FlawNoDelimiter                         // undefined length without its delimitation item: ended with its parent
	FlawDelimiterLength                     // a delimitation item with a length: skipped over
	FlawNotItem                             // something else where a sequence has an item: the sequence ends
	FlawTrailing                            // fewer bytes than an element has at the end: left out
	FlawGroup2                              // file meta information inside the data set: kept as elements
)

var flawNames = [...]string{
	FlawTruncated:       "ends inside the element",
	FlawOverrun:         "value longer than what encloses it",
	FlawOrder:           "tag out of order",
	FlawDuplicate:       "tag occurs twice",
	FlawOddLength:       "odd length",
	FlawUnknownVR:       "unknown VR",
	FlawBadVR:           "VR is not two letters",
	FlawMixedVR:         "explicit and implicit VR differ from the transfer syntax",
	FlawStrayDelimiter:  "delimitation item out of place",
	FlawNoDelimiter:     "delimitation item missing",
	FlawDelimiterLength: "delimitation item with a length",
	FlawNotItem:         "sequence holds something that is no item",
	FlawTrailing:        "bytes behind the last element",
	FlawGroup2:          "file meta element in the data set",
}

// String says what is wrong, in words.
func (k FlawKind) String() string {
	if int(k) < len(flawNames) && flawNames[k] != "" {
		return flawNames[k]
	}
	return fmt.Sprintf("flaw %d", uint8(k))
}

// Flaw is a deviation from the standard that decoding got over. It is an error, so that
// strict callers can return it.
type Flaw struct {
	Kind   FlawKind
	Tag    tag.Tag // the element it was met in, or zero
	Offset int64   // bytes from the start of the data set
}

// Error says what is wrong and where.
func (f *Flaw) Error() string {
	return fmt.Sprintf("dicom: %v at byte %d: %v", f.Tag, f.Offset, f.Kind)
}

// FormatError says that the input cannot be read as a data set at all.
type FormatError struct {
	Tag    tag.Tag
	Offset int64 // bytes from the start of the data set
	Reason string
	Err    error // the cause, if another package told it
}

func (e *FormatError) Error() string {
	if e.Tag == 0 {
		return fmt.Sprintf("dicom: byte %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("dicom: %v at byte %d: %s", e.Tag, e.Offset, e.Reason)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// LimitError says that a data set asks for more than Limits allows.
type LimitError struct {
	Limit  string // the field of Limits
	Max    int64
	Tag    tag.Tag
	Offset int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("dicom: %v at byte %d: more than Limits.%s = %d allows", e.Tag, e.Offset, e.Limit, e.Max)
}
