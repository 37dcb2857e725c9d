package dimse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gantry/dicom"
	"gantry/ul"
)

// receive reads messages up to a response, whose command set is left in a.rsp; requests of
// the peer are answered on the way. It waits at most wait for each.
func (a *Assoc) receive(ctx context.Context, wait time.Duration) (*presentation, error) {
	for {
		a.conn.StartMessage(wait)
		pc, err := a.readCommand(&a.rsp)
		switch {
		case errors.Is(err, ul.ErrIdle):
			return nil, a.abort(noResponse(wait))
		case errors.Is(err, ul.ErrReleaseRequested):
			a.conn.ReplyRelease()
			return nil, fmt.Errorf("dimse: the peer released the association during an operation: %w", err)
		case err != nil:
			return nil, err
		}
		if a.rsp.HasData {
			a.rcvd.reset(&a.session, pc.id)
		}
		switch {
		case a.rsp.Response:
			return pc, nil
		case a.rsp.Op == CCancel: // too late for whatever it was
		default:
			if err := a.serve(ctx, pc); err != nil {
				return nil, err
			}
		}
	}
}

func noResponse(wait time.Duration) error {
	return fmt.Errorf("dimse: no response in %v: %w", wait.Round(time.Millisecond), &ul.TimeoutError{State: ul.Sta6, What: "a response"})
}

// next receives a response to message id, for an operation that is alone.
func (a *Assoc) next(ctx context.Context, id uint16, wait time.Duration) (*presentation, error) {
	pc, err := a.receive(ctx, wait)
	if err == nil && a.rsp.RespondedTo != id {
		err = a.abort(protocolError("a response to message %d while %d is open", a.rsp.RespondedTo, id))
	}
	return pc, err
}

// body reads and decodes the data set of the response in a.rsp; nil if it has none.
func (a *Assoc) body(pc *presentation) (*dicom.DataSet, error) {
	if !a.rsp.HasData {
		return nil, nil
	}
	b, err := a.rcvd.readAll(a.limits.MaxIdentifier)
	if errors.Is(err, ul.ErrInterrupted) {
		return nil, err
	}
	if err != nil {
		return nil, a.abort(err)
	}
	ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: pc.syntax})
	if err != nil {
		return nil, fmt.Errorf("dimse: the data set of a response: %w", err)
	}
	return ds, nil
}
