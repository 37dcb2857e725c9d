package retrieve

import (
	"context"
	"errors"
	"io"

	"gantry/dicom/uid"
	"gantry/dimse"
)

// preferring sends an object in the first of the preferred syntaxes for which there is a
// context and that its Open gives, else as send does.
func preferring(o *dimse.Outgoing, prefer []uid.UID, send func(*dimse.Outgoing) (dimse.Status, error)) (dimse.Status, error) {
	for _, u := range prefer {
		p := *o
		p.Syntax = u
		opened := false
		p.Open = func(ctx context.Context, syntax uid.UID) (io.ReadCloser, error) {
			if syntax != u {
				return nil, errNotPreferred
			}
			body, err := o.Open(ctx, u)
			opened = err == nil
			return body, err
		}
		status, err := send(&p)
		if opened || err == nil {
			return status, err
		}
	}
	return send(o)
}

var errNotPreferred = errors.New("retrieve: not the preferred transfer syntax")
