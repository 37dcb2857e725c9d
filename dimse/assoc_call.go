package dimse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gantry/dicom"
	"gantry/ul"
)

// call is a request whose response is waited for.
type call struct {
	id    uint16
	reply chan reply  // has room for one
	timer *time.Timer // nil until it was needed
}

// open lets operations begin, window at a time.
func (a *Assoc) open(window int) {
	a.free = make(chan struct{}, window)
	a.yieldAll()
	a.alone, a.reading = make(chan struct{}, 1), make(chan struct{}, 1)
	a.alone <- struct{}{}
	a.reading <- struct{}{}
}

// acquire waits until one more operation may begin.
func (a *Assoc) acquire(ctx context.Context) error {
	select {
	case <-a.free:
		return nil
	default:
	}
	if a.iterating.Load() {
		return ErrBusy
	}
	select {
	case <-a.free:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (a *Assoc) yield() { a.free <- struct{}{} }

// acquireAll waits until no operation runs, and keeps others from beginning.
func (a *Assoc) acquireAll(ctx context.Context) error {
	if a.iterating.Load() {
		return ErrBusy
	}
	select {
	case <-a.alone: // two that hold a part each would wait for ever
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { a.alone <- struct{}{} }()
	for n := range cap(a.free) {
		if err := a.acquire(ctx); err != nil {
			for range n {
				a.yield()
			}
			return err
		}
	}
	return nil
}

func (a *Assoc) yieldAll() {
	for range cap(a.free) {
		a.yield()
	}
}

// messageID returns one that no open request has.
func (a *Assoc) messageID() uint16 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.newID()
}

func (a *Assoc) newID() uint16 {
	for {
		a.nextID++
		if a.calls[a.nextID] == nil && a.nextID != 0 {
			return a.nextID
		}
	}
}

// expect gives cmd its Message ID and registers who waits for the response.
func (a *Assoc) expect(cmd *Command) *call {
	a.mu.Lock()
	defer a.mu.Unlock()
	var c *call
	if n := len(a.spare); n > 0 {
		c, a.spare = a.spare[n-1], a.spare[:n-1]
	} else {
		c = &call{reply: make(chan reply, 1)}
	}
	c.id = a.newID()
	cmd.MessageID = c.id
	if a.calls == nil {
		a.calls = make(map[uint16]*call)
	}
	a.calls[c.id] = c
	return c
}

func (a *Assoc) forget(c *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.calls, c.id)
	select {
	case <-c.reply:
	default:
	}
	a.spare = append(a.spare, c)
}

// call sends a request by send and waits for its one response. The end of ctx aborts.
func (a *Assoc) call(ctx context.Context, cmd *Command, send func() error) (reply, error) {
	defer a.guard(ctx)()
	c := a.expect(cmd)
	defer a.forget(c)
	err := send()
	if err != nil {
		return reply{}, a.given(ctx, err)
	}
	rsp, err := a.await(ctx, c)
	return rsp, a.given(ctx, err)
}

// exchange is call for a message with a data set or none.
func (a *Assoc) exchange(ctx context.Context, pc *presentation, cmd *Command, ds *dicom.DataSet) (reply, error) {
	return a.call(ctx, cmd, func() error { return a.write(pc, cmd, ds) })
}

// guard aborts the association when ctx ends; the function returned undoes that.
func (a *Assoc) guard(ctx context.Context) func() {
	if ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		a.conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
		close(done)
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// given says why when guard ended an operation.
func (a *Assoc) given(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(a.conn.Err(), ul.ErrAborted) {
		return fmt.Errorf("dimse: operation given up, association aborted: %w", context.Cause(ctx))
	}
	return err
}

// await waits for the response to c. Of those who wait, one reads: it delivers the
// responses of the others, and leaves the reading to one of them when it has its own.
func (a *Assoc) await(ctx context.Context, c *call) (reply, error) {
	deadline := time.Now().Add(a.limits.Response)
	select {
	case <-a.reading:
		return a.read(ctx, c, deadline)
	default:
	}
	if c.timer == nil {
		c.timer = time.NewTimer(a.limits.Response)
	} else {
		c.timer.Reset(a.limits.Response)
	}
	defer c.timer.Stop()
	select {
	case rsp := <-c.reply:
		return rsp, nil
	case <-a.reading:
		return a.read(ctx, c, deadline)
	case <-c.timer.C:
		return reply{}, a.abort(noResponse(a.limits.Response))
	}
}

// read reads messages up to the response to c.
func (a *Assoc) read(ctx context.Context, c *call, deadline time.Time) (reply, error) {
	defer func() { a.reading <- struct{}{} }()
	select {
	case rsp := <-c.reply: // it came before
		return rsp, nil
	default:
	}
	for {
		pc, err := a.receive(ctx, max(time.Until(deadline), time.Millisecond))
		if err != nil {
			return reply{}, err
		}
		rsp := reply{Command: a.rsp, syntax: pc.syntax}
		if a.rsp.HasData {
			if rsp.data, err = a.rcvd.readAll(a.limits.MaxIdentifier); err != nil {
				return reply{}, a.abort(err)
			}
		}
		if rsp.RespondedTo == c.id {
			return rsp, nil
		}
		if err := a.deliver(rsp); err != nil {
			return reply{}, err
		}
	}
}

// deliver hands a response to whoever waits for it.
func (a *Assoc) deliver(rsp reply) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.calls[rsp.RespondedTo]
	if c == nil || len(c.reply) > 0 {
		return a.abort(protocolError("a %v response to message %d, which was not asked", rsp.Op, rsp.RespondedTo))
	}
	c.reply <- rsp
	return nil
}
