package dimsefront

import (
	"context"
	"errors"
	"io"

	"gantry/dimse"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/ingest"
)

// Stranger is the dimse.Peer.Value of a caller whose objects are held until somebody
// releases them.
const Stranger stranger = 1

type stranger int

// Ingester is the way into the archive.
type Ingester interface {
	Begin(context.Context, ingest.Hint) (*ingest.Writer, error)
}

// Store implements dimse.Storer: the data set goes to ingest as it comes from the network,
// and success is answered when it is durable.
func (f *Front) Store(ctx context.Context, in *dimse.Incoming) error {
	if f.Arrivals != nil {
		if rule := f.Arrivals(string(in.Peer.Calling)); rule.Any() {
			return f.storeBy(ctx, rule, in)
		}
	}
	_, err := f.ingest(ctx, hint(in), in.Body)
	return err
}

// ingest brings an object in; errors have their status.
func (f *Front) ingest(ctx context.Context, h ingest.Hint, body io.Reader) (ingest.Outcome, error) {
	w, err := f.Ingest.Begin(ctx, h)
	if err != nil {
		return ingest.Outcome{}, storeStatus(err)
	}
	defer w.Discard()
	if _, err := io.Copy(w, body); err != nil {
		return ingest.Outcome{}, storeStatus(err)
	}
	out, err := w.Commit(ctx)
	if err != nil {
		return out, storeStatus(err)
	}
	return out, nil
}

func hint(in *dimse.Incoming) ingest.Hint {
	return ingest.Hint{
		Source:  string(in.Peer.Calling),
		Called:  string(in.Peer.Called),
		Address: in.Peer.Host(),
		Class:   in.Class, Instance: in.Instance, Syntax: in.Syntax,
		Hold: in.Peer.Value == Stranger,
	}
}

// storeStatus turns ingest's error into the response's status. An error of the network
// stays what it is.
func storeStatus(err error) error {
	var e *ingest.Error
	if errors.Is(err, blob.ErrFull) && !errors.As(err, &e) {
		return &dimse.StatusError{Status: dimse.OutOfResources, Comment: "storage is full", Err: err}
	}
	if !errors.As(err, &e) {
		return err
	}
	return &dimse.StatusError{Status: dimse.Status(e.Status), Comment: e.Comment, Offending: e.Offending, Err: e}
}
