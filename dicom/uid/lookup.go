package uid

import (
	"iter"
	"strings"
)

// Kind is what a UID of PS3.6 annex A identifies. The zero Kind is none.
type Kind uint8

// The kinds of PS3.6 Table A-1 and the tables after it.
const (
	KindSOPClass Kind = iota + 1
	KindMetaSOPClass
	KindServiceClass
	KindTransferSyntax
	KindWellKnownInstance
	KindFrameOfReference
	KindSynchronizationFrameOfReference
	KindApplicationContext
	KindApplicationHostingModel
	KindCodingScheme
	KindUIDCodingScheme
	KindMappingResource
	KindContextGroup
	KindLDAP
)

// String returns the name that PS3.6 Table A-1 uses, or "" for the zero Kind.
func (k Kind) String() string {
	switch k {
	case KindSOPClass:
		return "SOP Class"
	case KindMetaSOPClass:
		return "Meta SOP Class"
	case KindServiceClass:
		return "Service Class"
	case KindTransferSyntax:
		return "Transfer Syntax"
	case KindWellKnownInstance:
		return "Well-known SOP Instance"
	case KindFrameOfReference:
		return "Well-known frame of reference"
	case KindSynchronizationFrameOfReference:
		return "Synchronization Frame of Reference"
	case KindApplicationContext:
		return "Application Context Name"
	case KindApplicationHostingModel:
		return "Application Hosting Model"
	case KindCodingScheme:
		return "Coding Scheme"
	case KindUIDCodingScheme:
		return "DICOM UIDs as a Coding Scheme"
	case KindMappingResource:
		return "Mapping Resource"
	case KindContextGroup:
		return "Context Group Name"
	case KindLDAP:
		return "LDAP OID"
	}
	return ""
}

// Info is what PS3.6 annex A says of a UID.
type Info struct {
	Keyword string // empty for the two UIDs that were retired without one
	Name    string
	Kind    Kind
	Retired bool
}

const (
	root        = "1.2.840.10008."
	flagRetired = 0x80
	flagStorage = 0x40
	kindMask    = 0x3F
)

// Lookup returns what the standard says of u. It allocates nothing and is safe for
// concurrent use.
func Lookup(u UID) (Info, bool) {
	i, ok := find(u)
	if !ok {
		return Info{}, false
	}
	return infoAt(i), true
}

// Name returns the name of u, or u itself when the standard has none.
func (u UID) Name() string {
	if i, ok := find(u); ok && nameAt(i) != "" {
		return nameAt(i)
	}
	return string(u)
}

// ByKeyword returns the UID of a keyword as PS3.6 prints it, such as "CTImageStorage".
func ByKeyword(keyword string) (UID, bool) {
	low, high := 0, len(byKeyword)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if keywordAt(int(byKeyword[mid])) < keyword {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if keyword == "" || low == len(byKeyword) || keywordAt(int(byKeyword[low])) != keyword {
		return "", false
	}
	return at(int(byKeyword[low])), true
}

// All yields every UID of PS3.6 annex A in the order of their text.
func All() iter.Seq2[UID, Info] {
	return func(yield func(UID, Info) bool) {
		for i := range infos {
			if !yield(at(i), infoAt(i)) {
				return
			}
		}
	}
}

// IsStorage reports whether u is a composite Storage SOP Class of the dictionary, retired
// ones included: the classes whose instances C-STORE transfers (PS3.4 B.5). Storage
// Commitment and the Media Storage Directory are not among them.
func (u UID) IsStorage() bool {
	i, ok := find(u)
	return ok && infos[i]&flagStorage != 0
}

// StorageClasses yields the UIDs for which IsStorage is true, in the order of their text.
func StorageClasses() iter.Seq[UID] {
	return func(yield func(UID) bool) {
		for i, info := range infos {
			if info&flagStorage != 0 && !yield(at(i)) {
				return
			}
		}
	}
}

func find(u UID) (int, bool) {
	suffix, ok := strings.CutPrefix(string(u), root)
	if !ok {
		return 0, false
	}
	low, high := 0, len(infos)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if suffixAt(mid) < suffix {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(infos) && suffixAt(low) == suffix
}

func at(i int) UID           { return UID(root + suffixAt(i)) }
func suffixAt(i int) string  { return suffixText[suffixStart[i]:suffixStart[i+1]] }
func keywordAt(i int) string { return keywordText[keywordStart[i]:keywordStart[i+1]] }
func nameAt(i int) string    { return nameText[nameStart[i]:nameStart[i+1]] }

func infoAt(i int) Info {
	return Info{
		Keyword: keywordAt(i),
		Name:    nameAt(i),
		Kind:    Kind(infos[i] & kindMask),
		Retired: infos[i]&flagRetired != 0,
	}
}
