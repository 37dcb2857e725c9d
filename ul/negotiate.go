package ul

import (
	"context"
	"fmt"
	"net"
	"time"
)

// NewAcceptor starts the acceptor's side of an association on an open transport: state
// Sta2, ARTIM running (AE-5). ReadRequest is next. Close must be called in the end,
// whatever happens.
func NewAcceptor(nc net.Conn, o Options) *Conn {
	c := newConn(nc, o)
	c.rd.mode, c.rd.until = waitARTIM, time.Now().Add(c.opts.ARTIM)
	c.step(Evt5, false)
	return c
}

// ReadRequest reads the A-ASSOCIATE-RQ. A protocol version this package does not speak is
// rejected here, by the service-provider (AE-6). Else the state is Sta3 and the caller
// decides: Accept or Reject.
func (c *Conn) ReadRequest() (*AssociateRQ, error) {
	t, length, err := c.header()
	if err != nil {
		return nil, c.failed(err, "A-ASSOCIATE-RQ")
	}
	var rq *AssociateRQ
	if t == TypeAssociateRQ {
		body, err := c.rd.body(int(length))
		if err != nil {
			return nil, c.failed(err, "the rest of A-ASSOCIATE-RQ")
		}
		if rq, err = DecodeAssociateRQ(body); err != nil {
			return nil, c.failed(err, "")
		}
		if rq.Version&1 == 0 {
			c.step(Evt6, true)
			return rq, c.reject(RejectProtocolVersion)
		}
	}
	if _, err := c.received(t, length); err != nil {
		return nil, err
	}
	c.rq = rq
	return rq, nil
}

// Reject rejects the association (AE-8) and returns the *RejectedError that says so, or
// what kept it from being sent.
func (c *Conn) Reject(r Reject) error {
	if _, err := c.step(Evt8, false); err != nil {
		return err
	}
	return c.reject(r)
}

func (c *Conn) reject(r Reject) error {
	if err := c.control(r.Append(nil)); err != nil {
		return err
	}
	return c.end(&RejectedError{r})
}

// Accept accepts the association (AE-7): state Sta6. The maximum length of ac's user
// information is filled in from the options; AE titles from the request.
func (c *Conn) Accept(ac *AssociateAC) error {
	ac.Version, ac.Called, ac.Calling = 1, c.rq.Called, c.rq.Calling
	ac.ApplicationContext = ApplicationContext
	ac.User.MaxLength = c.opts.advertised()
	b, err := ac.Append(nil)
	if err != nil {
		return err
	}
	if _, err := c.step(Evt7, false); err != nil {
		return err
	}
	c.ac, c.fragment = ac, c.opts.sendLimit(c.rq.User.MaxLength)
	return c.control(b)
}

// Request opens an association on nc as its requestor: it sends rq and waits for the
// answer, at most ARTIM and not beyond ctx. A rejection is a *RejectedError. The maximum
// length in rq is filled in from the options. On error nc is closed.
func Request(ctx context.Context, nc net.Conn, rq *AssociateRQ, o Options) (*Conn, error) {
	c := newConn(nc, o)
	c.requestor, c.rq = true, rq
	rq.User.MaxLength = c.opts.advertised()
	if rq.ApplicationContext == "" {
		rq.ApplicationContext = ApplicationContext
	}
	b, err := rq.Append(nil)
	if err != nil {
		nc.Close()
		return nil, err
	}
	stop := c.watch(ctx)
	err = c.associate(b)
	stop()
	if ctx.Err() != nil {
		err = fmt.Errorf("ul: association request given up: %w", context.Cause(ctx))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) associate(rq []byte) error {
	c.step(Evt1, false)
	c.step(Evt2, false)
	c.rd.mode, c.rd.until = waitARTIM, time.Now().Add(c.opts.ARTIM)
	if err := c.control(rq); err != nil {
		return err
	}
	t, length, err := c.header()
	if err != nil {
		return c.failed(err, "the answer to A-ASSOCIATE-RQ")
	}
	if t != TypeAssociateAC && t != TypeAssociateRJ {
		_, err := c.received(t, length)
		return err
	}
	body, err := c.rd.body(int(length))
	if err != nil {
		return c.failed(err, "the rest of "+t.String())
	}
	if t == TypeAssociateRJ {
		return c.rejected(body)
	}
	return c.accepted(body)
}

func (c *Conn) rejected(body []byte) error {
	r, err := DecodeReject(body)
	if err != nil {
		return c.failed(err, "")
	}
	if _, err := c.step(Evt4, false); err != nil {
		return err
	}
	return c.end(&RejectedError{r})
}

func (c *Conn) accepted(body []byte) error {
	ac, err := DecodeAssociateAC(body)
	if err != nil {
		return c.failed(err, "")
	}
	if _, err := c.step(Evt3, false); err != nil {
		return err
	}
	c.ac, c.fragment = ac, c.opts.sendLimit(ac.User.MaxLength)
	return nil
}
