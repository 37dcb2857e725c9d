package dimsefront

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/archive/egress"
	"gantry/internal/archive/index"
	"gantry/service/query"
	"gantry/service/retrieve"
)

// Retrieve implements retrieve.Retriever: the current instances that the unique keys name
// (PS3.4 C.4.2.2.1).
func (f *Front) Retrieve(ctx context.Context, q *query.Query) (*retrieve.Retrieval, error) {
	s := selectorOf(q)
	if s.Empty() {
		return nil, &dimse.StatusError{Status: dimse.DataSetDoesNotMatchSOPClass, Comment: "no unique key to retrieve by"}
	}
	var found []*dimse.Outgoing
	for l, err := range f.Index.Select(ctx, s) {
		if err != nil {
			return nil, statusOf(err)
		}
		found = append(found, f.outgoing(&l))
	}
	out := &retrieve.Retrieval{Count: len(found), Instances: each(found), Others: egress.Compressed()}
	if f.Prefer != nil {
		out.Prefer = f.Prefer(string(q.Peer.Calling))
	}
	return out, nil
}

func each(list []*dimse.Outgoing) iter.Seq2[*dimse.Outgoing, error] {
	return func(yield func(*dimse.Outgoing, error) bool) {
		for _, o := range list {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func selectorOf(q *query.Query) index.Selector {
	uids := func(t tag.Tag) []uid.UID {
		var out []uid.UID
		for _, s := range q.Identifier.Texts(t) {
			if s != "" {
				out = append(out, uid.UID(s))
			}
		}
		return out
	}
	s := index.Selector{Studies: uids(tag.StudyInstanceUID), Series: uids(tag.SeriesInstanceUID), Instances: uids(tag.SOPInstanceUID)}
	for _, id := range q.Identifier.Texts(tag.PatientID) {
		if id != "" {
			s.PatientIDs = append(s.PatientIDs, id)
		}
	}
	return s
}

// outgoing is a stored instance as an object to send. What it may be transcoded to is
// found out when a peer does not take it as it is.
func (f *Front) outgoing(l *index.Location) *dimse.Outgoing {
	ref, head, size, stored := l.Ref, l.Sums.Head, l.Size(), l.Syntax
	return &dimse.Outgoing{
		Class: l.Class, Instance: l.Instance, Syntax: stored, Size: size,
		Open: func(ctx context.Context, syntax uid.UID) (io.ReadCloser, error) {
			obj, err := f.Objects.Open(ctx, ref)
			if err != nil {
				return nil, err
			}
			if syntax == stored {
				return &body{obj.Section(ctx, head, size), obj}, nil
			}
			r, err := f.transcoded(ctx, io.NewSectionReader(obj, head, size), stored, syntax)
			if err != nil {
				obj.Close()
				return nil, err
			}
			return &body{r, obj}, nil
		},
	}
}

// gate is the one that transcodes.
func (f *Front) gate() *egress.Gate {
	if f.Egress == nil {
		return shared()
	}
	return f.Egress
}

// transcoded is a stored data set in another transfer syntax. What is stored stays as it
// is.
func (f *Front) transcoded(ctx context.Context, r *io.SectionReader, from, to uid.UID) (io.Reader, error) {
	ds, err := dicom.DecodeAt(r, r.Size(), dicom.DecodeOptions{Syntax: from})
	if err != nil {
		return nil, err
	}
	out, err := f.gate().Open(ctx, ds, from, to)
	var e *egress.Error
	if errors.As(err, &e) {
		return nil, &dimse.StatusError{Status: dimse.OutOfResourcesSubOperations, Comment: e.Comment(), Err: err}
	}
	return out, err
}

var shared = sync.OnceValue(func() *egress.Gate { return egress.New("") })

// body closes the object that it is read from.
type body struct {
	io.Reader
	object io.Closer
}

func (b *body) Close() error {
	if c, ok := b.Reader.(io.Closer); ok {
		c.Close()
	}
	return b.object.Close()
}
