// Package record holds the words that the object store and the index share: what is
// known of an object beside its bytes, where it lies, and how far a log was read.
package record

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gantry/dicom/uid"
)

// Kind says what a record of the store log means.
type Kind string

// The kinds of records.
const (
	Put     Kind = "put"     // an object, its bytes in the record
	File    Kind = "file"    // an object, its bytes in the file that the record names
	Delete  Kind = "delete"  // an object is hidden until it is restored or purged
	Restore Kind = "restore" // the deletion of an object is undone
	Purge   Kind = "purge"   // an object's bytes may be erased
	Note    Kind = "note"    // a fact about the archive that is not an object
)

// HasObject reports whether records of this kind bring an object.
func (k Kind) HasObject() bool { return k == Put || k == File }

// Version is the version of the envelope's format that this code writes.
const Version = 1

// MaxEnvelope is the most bytes an encoded envelope may have.
const MaxEnvelope = 256 << 10

// Errors of Unmarshal.
var (
	ErrVersion  = errors.New("envelope of a later version")
	ErrEnvelope = errors.New("not an envelope")
)

// Envelope is what the archive knows of a record beside an object's bytes. Every decision
// taken at ingest is in it, so that a replay of the log never decides again. Received
// times are in UTC.
type Envelope struct {
	V        int       `json:"v"`
	Kind     Kind      `json:"kind"`
	ID       ID        `json:"id"`
	Received time.Time `json:"at"`

	Source      string `json:"src,omitempty"`  // calling AE title
	Called      string `json:"dst,omitempty"`  // called AE title
	Address     string `json:"addr,omitempty"` // of the sender
	Association string `json:"assoc,omitempty"`

	Syntax    uid.UID `json:"syntax,omitempty"`
	Came      uid.UID `json:"came,omitempty"` // the transfer syntax it came in, where a rule has changed that without loss
	Class     uid.UID `json:"class,omitempty"`
	Instance  uid.UID `json:"inst,omitempty"`
	Study     uid.UID `json:"study,omitempty"`
	Series    uid.UID `json:"series,omitempty"`
	Issuer    string  `json:"issuer,omitempty"`
	PatientID string  `json:"pid,omitempty"`
	StudyDate string  `json:"date,omitempty"` // as in the data set, for date_hierarchical

	Number   int  `json:"ver,omitempty"`      // version of the instance, from 1
	Conflict bool `json:"conflict,omitempty"` // differs from what was there under the UID
	Current  bool `json:"current,omitempty"`  // the version that queries and retrievals see
	Held     bool `json:"held,omitempty"`     // from a stranger: hidden until a Restore releases it

	Coercions []Coercion      `json:"coerced,omitempty"`
	Meta      []byte          `json:"meta,omitempty"` // the sender's preamble and group 0002
	Path      string          `json:"path,omitempty"` // of a File, relative, with slashes
	Of        ID              `json:"of,omitempty"`   // the record that this one is about
	Note      json.RawMessage `json:"note,omitempty"`
}

// Coercion is an attribute that the archive answers differently from the stored bytes.
type Coercion struct {
	Tag  uint32 `json:"tag"`
	From string `json:"from"`
	To   string `json:"to"`
	Why  string `json:"why,omitempty"`
}

// Marshal encodes e as JSON, fields in one order.
func (e *Envelope) Marshal() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	if len(b) > MaxEnvelope {
		return nil, fmt.Errorf("envelope of %d bytes, at most %d", len(b), MaxEnvelope)
	}
	return b, nil
}

// Unmarshal decodes what Marshal wrote. Envelopes of later versions are an error.
func Unmarshal(b []byte) (Envelope, error) {
	var e Envelope
	if len(b) > MaxEnvelope {
		return e, fmt.Errorf("%w: %d bytes", ErrEnvelope, len(b))
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return e, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	if e.V > Version {
		return e, fmt.Errorf("%w: %d", ErrVersion, e.V)
	}
	return e, nil
}

// ID identifies a record: 24 hexadecimal digits, the first 12 the milliseconds of its
// creation, the rest random.
type ID string

// NewID returns a new ID of the time now.
func NewID(now time.Time) ID {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	if _, err := rand.Read(b[6:12]); err != nil {
		return ID(hex.EncodeToString(b[:12])) // crypto/rand.Read never fails
	}
	return ID(hex.EncodeToString(b[:12]))
}

// Ref says where a store keeps an object. Only the store that made it reads it.
type Ref string

// Position is a place in a store log: what lies before it was read or applied. The zero
// Position is the log's begin; a store without a log has no other.
type Position struct {
	Segment uint64
	Offset  int64
}

// Compare orders positions as the log does.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Segment, q.Segment), cmp.Compare(p.Offset, q.Offset))
}

// IsZero reports whether p is the begin.
func (p Position) IsZero() bool { return p == Position{} }

// String returns the segment and the offset.
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Segment, p.Offset) }

// Sums are the lengths and crc32c sums of an object's two parts: the head, which the
// archive made (preamble and file meta), and the data set bytes as they came.
type Sums struct {
	Head, Data       int64
	HeadCRC, DataCRC uint32
}

// Size returns the length of the object.
func (s Sums) Size() int64 { return s.Head + s.Data }

// Stored is a committed record: where its object lies (empty for one without) and the
// position behind it.
type Stored struct {
	Ref      Ref
	Position Position
	Sums     Sums
}

// Moved is where a store has an object now.
type Moved struct {
	Record   ID
	Instance uid.UID
	Ref      Ref
}

// Logged is a record read back from a log. Err is set where the log is damaged: the
// record, as far as it could be read, is not to be applied, and reading goes on behind it.
type Logged struct {
	Envelope Envelope
	Stored   Stored
	Err      error
}
