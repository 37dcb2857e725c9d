package dicomtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"sync"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/service/query"
	"gantry/service/retrieve"
	"gantry/service/storage"
	"gantry/service/verify"
)

// Archive is an archive in memory: it implements dimse.Storer, query.Finder and
// retrieve.Retriever. The zero value is empty and ready; it is safe for concurrent use.
type Archive struct {
	// OnStore, if set, decides first on each object; an error is the answer.
	OnStore func(*dimse.Incoming) error

	mu      sync.Mutex
	objects []*Stored
}

// Stored is an object of an Archive.
type Stored struct {
	Class, Instance, Syntax uid.UID
	Data                    []byte // as received
	DataSet                 *dicom.DataSet
	Originator              dimse.AETitle
	OriginatorID            uint16
}

// Objects returns what was stored, in order of arrival.
func (a *Archive) Objects() []*Stored {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.objects)
}

// Store implements dimse.Storer. A second object of one instance replaces the first.
func (a *Archive) Store(_ context.Context, in *dimse.Incoming) error {
	if a.OnStore != nil {
		if err := a.OnStore(in); err != nil {
			return err
		}
	}
	b, err := io.ReadAll(in.Body)
	if err != nil {
		return err
	}
	ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: in.Syntax})
	if err != nil {
		return &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "data set does not decode", Err: err}
	}
	s := &Stored{in.Class, in.Instance, in.Syntax, b, ds, in.MoveOriginator, in.MoveOriginatorID}
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.IndexFunc(a.objects, func(o *Stored) bool { return o.Instance == s.Instance }); i >= 0 {
		a.objects[i] = s
	} else {
		a.objects = append(a.objects, s)
	}
	return nil
}

// Add puts made-up objects in.
func (a *Archive) Add(objects ...Object) error {
	for _, o := range objects {
		b, err := o.Encode()
		if err != nil {
			return err
		}
		o = o.withDefaults()
		in := &dimse.Incoming{Class: o.Class, Instance: Instance(o.N), Syntax: o.Syntax, Body: bytes.NewReader(b)}
		if err := a.Store(context.Background(), in); err != nil {
			return err
		}
	}
	return nil
}

// keyOf is the unique key of a level.
func keyOf(l query.Level) tag.Tag {
	switch l {
	case query.PatientLevel:
		return tag.PatientID
	case query.StudyLevel:
		return tag.StudyInstanceUID
	case query.SeriesLevel:
		return tag.SeriesInstanceUID
	}
	return tag.SOPInstanceUID
}

// match reports whether ds has every key of the identifier: single values, lists of UIDs
// and the wildcards * and ?.
func match(identifier, ds *dicom.DataSet) bool {
	for e := range identifier.All() {
		if e.Tag == tag.QueryRetrieveLevel || e.Tag == tag.SpecificCharacterSet || e.IsSequence() {
			continue
		}
		want := e.Texts()
		if len(want) == 0 || len(want) == 1 && want[0] == "" {
			continue
		}
		got := ds.Text(e.Tag)
		if !slices.ContainsFunc(want, func(w string) bool { ok, err := path.Match(w, got); return err == nil && ok || w == got }) {
			return false
		}
	}
	return true
}

// Find implements query.Finder: one answer for each entity of the level, with the keys
// that were asked for.
func (a *Archive) Find(ctx context.Context, q *query.Query) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		seen := make(map[string]bool)
		for _, o := range a.Objects() {
			if ctx.Err() != nil {
				return
			}
			key := o.DataSet.Text(keyOf(q.Level))
			if seen[key] || !match(q.Identifier, o.DataSet) {
				continue
			}
			seen[key] = true
			if !yield(answer(q, o.DataSet)) {
				return
			}
		}
	}
}

func answer(q *query.Query, ds *dicom.DataSet) (*dicom.DataSet, error) {
	e := new(dicom.DataSet).Edit()
	for k := range q.Identifier.All() {
		if k.Tag != tag.QueryRetrieveLevel && !k.IsSequence() {
			e.SetText(k.Tag, ds.Texts(k.Tag)...)
		}
	}
	return e.SetText(tag.QueryRetrieveLevel, string(q.Level)).Build()
}

// Retrieve implements retrieve.Retriever. It re-encodes between transfer syntaxes without
// compression.
func (a *Archive) Retrieve(_ context.Context, q *query.Query) (*retrieve.Retrieval, error) {
	var found []*Stored
	for _, o := range a.Objects() {
		if match(q.Identifier, o.DataSet) {
			found = append(found, o)
		}
	}
	return &retrieve.Retrieval{Count: len(found), Instances: func(yield func(*dimse.Outgoing, error) bool) {
		for _, o := range found {
			if !yield(o.Outgoing(), nil) {
				return
			}
		}
	}}, nil
}

// Outgoing returns the object ready to be sent.
func (s *Stored) Outgoing() *dimse.Outgoing {
	return &dimse.Outgoing{Class: s.Class, Instance: s.Instance, Syntax: s.Syntax, Size: int64(len(s.Data)),
		Open: func(_ context.Context, ts uid.UID) (io.ReadCloser, error) {
			if ts == s.Syntax {
				return io.NopCloser(bytes.NewReader(s.Data)), nil
			}
			if info, ok := ts.SyntaxInfo(); !ok || info.Encapsulated {
				return nil, fmt.Errorf("dicomtest: no transcoding to %s", ts.Name())
			}
			b, err := dicom.AppendEncode(nil, s.DataSet, ts)
			if err != nil {
				return nil, err
			}
			return io.NopCloser(bytes.NewReader(b)), nil
		}}
}

// Mux returns a multiplexer with all services of the archive. dest may be nil: no C-MOVE.
func (a *Archive) Mux(dest retrieve.Resolver) *dimse.ServeMux {
	m := new(dimse.ServeMux)
	verify.Register(m)
	storage.Register(m, a)
	query.Register(m, a, query.Options{})
	retrieve.RegisterGet(m, a, retrieve.Options{})
	if dest != nil {
		retrieve.RegisterMove(m, a, dest, retrieve.Options{})
	}
	return m
}
