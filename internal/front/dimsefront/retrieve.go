package dimsefront

import (
	"context"
	"fmt"
	"io"
	"iter"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
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
	return &retrieve.Retrieval{Count: len(found), Instances: each(found)}, nil
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

// outgoing is a stored instance as an object to send.
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
			r, err := transcode(io.NewSectionReader(obj, head, size), stored, syntax)
			if err != nil {
				obj.Close()
				return nil, err
			}
			return &body{r, obj}, nil
		},
	}
}

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

// transcode lays a native data set out in another native syntax.
func transcode(r *io.SectionReader, from, to uid.UID) (io.Reader, error) {
	if !native(from) || !native(to) {
		return nil, fmt.Errorf("cannot turn %s into %s", from.Name(), to.Name())
	}
	ds, err := dicom.DecodeAt(r, r.Size(), dicom.DecodeOptions{Syntax: from})
	if err != nil {
		return nil, err
	}
	out, _, err := dicom.NewReader(ds, to)
	return out, err
}
