package record

import (
	"encoding/json"
	"fmt"
)

// Fact is something the archive knows that is in no object: labels, say. Facts are written
// to the store's log as Note records, so that an index that is lost has them again. The last
// one of a kind about a subject counts; one without a value takes it back.
type Fact struct {
	Kind    string          `json:"kind"`
	Subject string          `json:"of"`
	Value   json.RawMessage `json:"value,omitempty"`
}

// Bounds of a Fact.
const (
	maxFactKind    = 32
	maxFactSubject = 256
	maxFactValue   = 64 << 10
)

// factNote is the note of a record that holds a fact.
type factNote struct {
	Fact *Fact `json:"fact,omitempty"`
}

// Note returns the note of a record that holds the fact.
func (f *Fact) Note() (json.RawMessage, error) {
	if f.Kind == "" || len(f.Kind) > maxFactKind || f.Subject == "" || len(f.Subject) > maxFactSubject || len(f.Value) > maxFactValue {
		return nil, fmt.Errorf("fact of %d bytes, subject of %d, value of %d: want 1 to %d, 1 to %d, up to %d",
			len(f.Kind), len(f.Subject), len(f.Value), maxFactKind, maxFactSubject, maxFactValue)
	}
	return json.Marshal(factNote{f})
}

// Fact returns the fact that a record holds; false for one without.
func (e *Envelope) Fact() (Fact, bool) {
	var n factNote
	if e.Kind != Note || json.Unmarshal(e.Note, &n) != nil || n.Fact == nil {
		return Fact{}, false
	}
	if _, err := n.Fact.Note(); err != nil {
		return Fact{}, false
	}
	return *n.Fact, true
}
