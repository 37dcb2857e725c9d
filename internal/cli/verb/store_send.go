package verb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/dimse"
)

// send sends a batch, over as many associations as it takes when they break.
func (t *storing) send(ctx context.Context, batch []sending) {
	wait := t.o.retryAfter
	if wait == 0 {
		wait = time.Second
	}
	for tries := 0; len(batch) > 0 && ctx.Err() == nil; {
		rest, err := t.associate(ctx, batch)
		if len(rest) < len(batch) {
			tries, wait = 0, min(wait, time.Second)
		}
		if batch = rest; err == nil {
			continue
		}
		if tries++; tries > t.o.Retries || ctx.Err() != nil {
			t.giveUp(batch, err)
			return
		}
		t.progress.clear()
		t.o.says(t.s, Normal, "%v; trying again in %v", err, wait)
		if pause(ctx, wait) != nil {
			return
		}
		wait = min(2*wait, maxRetryPause)
	}
}

// giveUp counts the rest of a batch as failed.
func (t *storing) giveUp(batch []sending, err error) {
	if t.o.Halt && errors.Is(err, context.Canceled) {
		return // an earlier failure stopped it: these were not tried
	}
	var e *Error
	if errors.As(err, &e) && e.Outcome == Connect {
		t.mu.Lock()
		t.connect = err
		t.mu.Unlock()
	}
	for i, f := range batch {
		if i > 0 && t.o.Halt {
			return
		}
		t.fail(f.source, err, 0)
	}
}

// associate sends a batch on one association, and returns the objects that it is not done
// with. An error is one that trying again may mend.
func (t *storing) associate(ctx context.Context, batch []sending) ([]sending, error) {
	contexts, err := t.o.plan(batch)
	if err == nil && len(contexts) == 0 {
		err = errors.New("its transfer syntax is not among those to propose")
	}
	if err != nil {
		for _, f := range batch {
			t.fail(f.source, err, 0)
		}
		return nil, nil
	}
	t.o.says(t.s, Verbose, "Requesting Association")
	a, err := t.o.dial(ctx, contexts)
	if err != nil {
		return batch, err
	}
	defer a.Abort()
	t.o.says(t.s, Verbose, "Association Accepted")
	t.o.negotiated(t.s, a, contexts)
	if rest, err := t.over(ctx, a, batch); err != nil {
		return rest, err
	}
	if t.o.Abort {
		t.o.says(t.s, Verbose, "Aborting Association")
		return nil, nil
	}
	t.o.says(t.s, Verbose, "Releasing Association")
	release(ctx, a)
	return nil, nil
}

// over sends a batch over a, as many objects at a time as its window lets. At the first
// error it returns those that are not done, in their order.
func (t *storing) over(ctx context.Context, a *dimse.Assoc, batch []sending) ([]sending, error) {
	var mu sync.Mutex
	var failed error
	var next int
	done := make([]bool, len(batch))
	take := func() int {
		mu.Lock()
		defer mu.Unlock()
		if failed == nil {
			failed = ctx.Err()
		}
		if failed != nil || next == len(batch) {
			return -1
		}
		next++
		return next - 1
	}
	var senders sync.WaitGroup
	for range min(a.Window(), len(batch)) {
		senders.Go(func() {
			for i := take(); i >= 0; i = take() {
				err := t.one(ctx, a, batch[i])
				mu.Lock()
				if done[i] = err == nil; failed == nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	senders.Wait()
	if failed == nil {
		return nil, nil
	}
	var rest []sending
	for i, f := range batch {
		if !done[i] {
			rest = append(rest, f)
		}
	}
	return rest, failed
}

// one sends one object. An error means that it should be tried again.
func (t *storing) one(ctx context.Context, a *dimse.Assoc, f sending) error {
	t.o.says(t.s, Verbose, "Sending file: %s", f.name)
	file, done, err := f.open(dicom.DecodeOptions{})
	if err != nil {
		t.fail(f.source, err, 0)
		return nil
	}
	defer done()
	status, err := t.store(ctx, a, file, f)
	if err != nil {
		if a.Err() != nil || ctx.Err() != nil {
			return fmt.Errorf("%s: the association ended: %w", f.name, err)
		}
		var none *dimse.ErrNoContext
		if why := t.o.may(f.syntax, uid.ExplicitVRLittleEndian); errors.As(err, &none) && why != nil {
			err = why
		}
		t.fail(f.source, err, 0)
		return nil
	}
	t.o.says(t.s, Verbose, "Received Store Response (%v)", status)
	switch status.Class() {
	case dimse.ClassSuccess:
	case dimse.Warning:
		t.warned.Add(1)
		t.progress.clear()
		t.o.says(t.s, Normal, "%s: stored with warning %v", f.name, status)
	default:
		t.fail(f.source, fmt.Errorf("refused: %v", status), uint16(status))
		return nil
	}
	t.sent.Add(1)
	t.bytes.Add(file.Size())
	t.report.add(f.name, true, nil, uint16(status))
	t.o.rename(t.s, f.source, ".done")
	return nil
}

// store sends until the peer has the resources for it, as often as retries allow.
func (t *storing) store(ctx context.Context, a *dimse.Assoc, file *part10.File, f sending) (dimse.Status, error) {
	wait := max(t.o.retryAfter, time.Second/4)
	for tries := 0; ; tries++ {
		status, err := a.Store(ctx, t.o.outgoing(file, f))
		if err != nil || status&0xFF00 != dimse.OutOfResources || tries >= t.o.Retries {
			return status, err
		}
		if err := pause(ctx, wait); err != nil {
			return status, err
		}
		wait = min(2*wait, maxRetryPause)
	}
}

// outgoing is a file as an object to send.
func (o *Store) outgoing(file *part10.File, f sending) *dimse.Outgoing {
	return &dimse.Outgoing{
		Class: f.class, Instance: f.instance, Syntax: f.syntax, Size: file.Size() - file.DataSetOffset,
		Open: func(ctx context.Context, syntax uid.UID) (io.ReadCloser, error) {
			if syntax == f.syntax {
				return io.NopCloser(file.DataSetReader()), nil
			}
			if err := o.may(f.syntax, syntax); err != nil {
				return nil, err
			}
			return o.gate.Open(ctx, file.DataSet, f.syntax, syntax)
		},
	}
}
