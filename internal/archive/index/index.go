// Package index is the contract of the archive's index: what is known of the objects, so
// that queries need not read them. indextest holds the tests that every implementation
// passes; a search has the same answers in the same order on all of them.
package index

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/internal/archive/record"
)

// Errors that callers decide on.
var (
	ErrNotFound = errors.New("not in the index")
	ErrTooBroad = errors.New("query is too broad: add a patient ID, a date or a UID")
	ErrClosed   = errors.New("index is closed")
	ErrLater    = errors.New("index was written by a later version of this program")
	ErrOffset   = errors.New("offset is out of range")
)

// Index knows the archive's objects. All methods are safe for concurrent use; Commit has
// one caller at a time.
type Index interface {
	// Commit applies records in their order, in one transaction that also moves the
	// applied position there. It is idempotent by record, and total: a record that
	// cannot be applied becomes a quarantined one, told in its Outcome.
	Commit(ctx context.Context, entries []Entry) ([]Outcome, error)
	// Search yields what matches, in the order of s. No transaction lasts longer than a
	// page of the answer.
	Search(ctx context.Context, s *Search) iter.Seq2[*Row, error]
	// Versions returns what is kept under a SOP Instance UID, the current one first.
	Versions(ctx context.Context, instance uid.UID) ([]Location, error)
	// Kept is Versions with those that are deleted but not yet purged.
	Kept(ctx context.Context, instance uid.UID) ([]Location, error)
	// Select yields the current instances of patients, studies, series or of a list, in
	// the order they came in.
	Select(ctx context.Context, s Selector) iter.Seq2[Location, error]
	// SelectKept yields all versions of what s names, current or not: those that are
	// deleted but not yet purged, or else the others. What is held is in neither.
	SelectKept(ctx context.Context, s Selector, deleted bool) iter.Seq2[Location, error]
	// Referrers yields the current instances that refer to an instance at any depth.
	Referrers(ctx context.Context, instance uid.UID) iter.Seq2[Location, error]
	// Changes yields what changed behind a number. The numbers have no gaps.
	Changes(ctx context.Context, after uint64) iter.Seq2[Change, error]
	// Facts returns the first n facts of a kind about subjects from one on, by subject.
	Facts(ctx context.Context, kind, from string, n int) ([]record.Fact, error)
	State(ctx context.Context) (State, error)
	// Reset empties the index, before it is rebuilt from the store.
	Reset(ctx context.Context) error
	Close() error
}

// Holder is an index that lists what strangers sent and nobody has released.
type Holder interface {
	// Held returns the first of them, in the order they came in.
	Held(ctx context.Context, limit int) ([]Location, error)
}

// State is how far an index is and what it holds. Objects that are not current are
// counted under Versions only.
type State struct {
	Applied                             record.Position
	Feed                                uint64 // number of the last change
	Patients, Studies, Series, Instance int64
	Versions, Quarantined               int64
	Bytes                               int64 // of the current instances
}

// Outcome is what became of an entry.
type Outcome struct {
	Feed    uint64 // number of the change, 0 when nothing changed
	Known   bool   // the record was applied before
	Problem error  // the record was quarantined
}

// Location is where an instance is kept and what retrieval needs to know of it.
type Location struct {
	Record                  record.ID
	Class, Instance, Syntax uid.UID
	Study, Series           uid.UID
	PatientID, Issuer       string
	Ref                     record.Ref
	Sums                    record.Sums
	Version                 int
	Current, Conflict       bool
	Hidden                  bool // deleted or held, may be restored
	Held                    bool // hidden since a stranger sent it
	Received                time.Time
}

// Size returns the bytes of the data set.
func (l *Location) Size() int64 { return l.Sums.Data }

// Deleted is what of a study was deleted and not yet purged.
type Deleted struct {
	Study                      uid.UID
	Instances, Versions, Bytes int64
	At                         time.Time     // of the last deletion, by its record
	Ran                        time.Duration // how long servers ran since then
}

// Damaged is an instance whose stored bytes are not those that came.
type Damaged struct {
	Location Location
	Found    time.Time
	Reason   string
}

// Heir returns which of the versions left under a UID becomes current when the current one,
// of a number, is purged: one that is not hidden before one that is, the next below the
// number before the next above; -1 when none is left.
func Heir(left []Location, number int) int {
	best := -1
	rank := func(l *Location) [4]int {
		return [4]int{b2i(l.Hidden), b2i(l.Held), b2i(l.Version > number), max(l.Version-number, number-l.Version)}
	}
	for i := range left {
		a := rank(&left[i])
		if best < 0 {
			best = i
		} else if b := rank(&left[best]); slices.Compare(a[:], b[:]) < 0 {
			best = i
		}
	}
	return best
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Selector names instances by the unique keys of the levels (PS3.4 C.4.2.2.1, C.6). An
// empty list does not restrict; a Selector without any list selects nothing.
type Selector struct {
	PatientIDs []string
	Studies    []uid.UID
	Series     []uid.UID
	Instances  []uid.UID
}

// Empty reports whether nothing is named.
func (s *Selector) Empty() bool {
	return len(s.PatientIDs)+len(s.Studies)+len(s.Series)+len(s.Instances) == 0
}

// Change is an entry of the change feed.
type Change struct {
	Number   uint64
	Kind     record.Kind
	Record   record.ID
	Instance uid.UID
	Study    uid.UID
	Series   uid.UID
	At       time.Time // when the record was received
	New      bool      // the study had no instances before
	Conflict bool
}

// Counts are the computed keys of a row (PS3.4 C.3.4); those below its level are zero.
type Counts struct {
	PatientStudies, PatientSeries, PatientInstances int64
	StudySeries, StudyInstances                     int64
	SeriesInstances                                 int64
}

// Row is an answer: an entity of a level, with those attributes of the first of its
// instances that belong to the level or one above. It may be kept.
type Row struct {
	Level      Level
	ID         int64 // ascends in the order of creation
	Attrs      *dicom.DataSet
	Counts     Counts
	Modalities []string  // of the study
	Classes    []uid.UID // of the study
	Location   Location  // of the instance, at IMAGE level only
	At         Cursor    // what a Search goes on behind this row with
	More       bool      // the next row, or the end, follows without a look into the index
}
