package ul

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// abortWait is how long one attempt to send A-ABORT, and the wait for the peer to close
// after it, may take.
const abortWait = time.Second

// quietWait is how long the peer is waited for after an abort when nothing comes from it:
// closing loses nothing then.
const quietWait = 100 * time.Millisecond

// buffers holds send buffers; see sendBuffer.
var buffers sync.Pool

// sendBuffer returns a buffer of at least n bytes from the pool.
func sendBuffer(n int) *[]byte {
	if b, ok := buffers.Get().(*[]byte); ok && len(*b) >= n {
		return b
	}
	b := make([]byte, n)
	return &b
}

// write sends b, whole PDUs, as one write. wmu is held.
func (c *Conn) write(b []byte) error {
	if err := c.armWrite(); err != nil {
		return err
	}
	n, err := c.nc.Write(b)
	return c.wrote(int64(n), int64(len(b)), err)
}

// writev sends head and tail as one write: one system call on TCP, one record and one
// copy on anything else. wmu is held.
func (c *Conn) writev(head, tail []byte) error {
	if _, ok := c.nc.(*net.TCPConn); !ok {
		b := sendBuffer(len(head) + len(tail))
		defer buffers.Put(b)
		n := copy(*b, head)
		n += copy((*b)[n:], tail)
		return c.write((*b)[:n])
	}
	if err := c.armWrite(); err != nil {
		return err
	}
	c.vec = [2][]byte{head, tail}
	c.bufs = c.vec[:]
	n, err := c.bufs.WriteTo(c.nc)
	c.vec = [2][]byte{}
	return c.wrote(n, int64(len(head)+len(tail)), err)
}

func (c *Conn) armWrite() error {
	if c.torn {
		return net.ErrClosed
	}
	now := time.Now()
	want := now.Add(c.opts.Write)
	if c.wlimit.IsZero() || c.wlimit.Before(want.Add(-c.opts.Write/8)) {
		c.wlimit = want
		if err := c.nc.SetWriteDeadline(want); err != nil {
			return err
		}
	}
	if c.interrupted.Load() {
		c.nc.SetWriteDeadline(time.Unix(1, 0))
		return ErrInterrupted
	}
	return nil
}

func (c *Conn) wrote(n, want int64, err error) error {
	c.out.Add(n)
	if n > 0 && n < want {
		c.torn = true
	}
	if err != nil && !c.torn && c.interrupted.Load() {
		return ErrInterrupted
	}
	return err
}

// control sends a PDU that is not P-DATA.
func (c *Conn) control(b []byte) error {
	c.wmu.Lock()
	err := c.write(b)
	c.wmu.Unlock()
	return c.sendFailed(err)
}

// sendFailed ends the association after a write went wrong.
func (c *Conn) sendFailed(err error) error {
	if err == nil {
		return nil
	}
	state := c.State()
	if errors.Is(err, ErrInterrupted) {
		if cause := c.Err(); cause != nil {
			return cause
		}
		return ErrInterrupted
	}
	if cause := c.Err(); cause != nil {
		return cause
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = c.end(&TimeoutError{state, "the peer to take data"})
		c.abort(Abort{SourceProvider, ReasonNotSpecified}, err)
		return err
	}
	c.step(Evt17, false) // an empty cell: it has ended already
	return c.end(&TransportError{state, err})
}

// data sends b, one or more P-DATA-TF PDUs, after asking the state machine.
func (c *Conn) data(b, tail []byte) error {
	c.wmu.Lock()
	_, err := c.step(Evt9, false)
	switch {
	case err != nil:
		c.wmu.Unlock()
		return err
	case len(tail) == 0:
		err = c.write(b)
	case len(b) == 0:
		err = c.write(tail)
	default:
		err = c.writev(b, tail)
	}
	c.wmu.Unlock()
	return c.sendFailed(err)
}

// WriteMessage sends one message on a presentation context: its command set, and the data
// set if it has one (nil: none). Both go out in as few writes as there are full PDUs, the
// last of the command and the first of the data in one. Messages never interleave.
func (c *Conn) WriteMessage(context byte, command, data []byte) error {
	c.msg.Lock()
	defer c.msg.Unlock()
	if len(c.held) > 0 && len(command) <= c.fragment && len(data) <= min(c.fragment, maxHeld) {
		c.hold(context, command, data)
		return c.flush()
	}
	return c.writeMessage(context, command, data)
}

// writeMessage sends a message behind those kept back. msg is held.
func (c *Conn) writeMessage(context byte, command, data []byte) error {
	if err := c.flush(); err != nil {
		return err
	}
	head, err := c.writeCommand(context, command)
	if err != nil {
		return err
	}
	if data == nil {
		return c.data(head, nil)
	}
	for first := true; ; first = false {
		n := min(len(data), c.fragment)
		last := n == len(data)
		head = appendPDVHeader(head, PDV{context, false, last, uint32(n)})
		if err := c.data(head, data[:n]); err != nil || last {
			return c.cut(err, !first)
		}
		data, head = data[n:], c.wbuf[:0]
	}
}

// cut aborts the association when a message was left off after some of it had been sent.
func (c *Conn) cut(err error, begun bool) error {
	if begun && errors.Is(err, ErrInterrupted) {
		c.abort(Abort{SourceUser, ReasonNotSpecified}, err)
	}
	return err
}

// writeCommand sends all fragments of a command set but the last, which it returns as a
// PDU still to be sent, in wbuf when it fits. msg is held.
func (c *Conn) writeCommand(context byte, command []byte) ([]byte, error) {
	for first := true; len(command) > c.fragment; first = false {
		b := AppendPData(nil, context, true, false, command[:c.fragment])
		if err := c.data(b, nil); err != nil {
			return nil, c.cut(err, !first)
		}
		command = command[c.fragment:]
	}
	return AppendPData(c.wbuf[:0], context, true, true, command), nil
}

// WriteMessageFrom is WriteMessage with the data set read from r, which is read one PDU
// ahead of the peer and no further. It returns how many bytes of data it sent. An error of
// r ends the association, as a message cannot be taken back; one before the first PDU of
// the message was sent does not, and is a *SourceError.
func (c *Conn) WriteMessageFrom(context byte, command []byte, r io.Reader) (int64, error) {
	m, err := c.Prepare(r)
	if err != nil {
		return 0, err
	}
	return m.Send(context, command)
}

// Message is a message to be sent, of whose data set the first PDU is in memory. It is to be
// sent or discarded, once.
type Message struct {
	c   *Conn
	r   io.Reader
	buf *[]byte // room for the headers, a fragment, and a byte that tells whether more follows
	n   int     // bytes of the first fragment
	end error   // why reading ended, nil when there is more
}

const messageRoom = HeaderLength + pdvHeaderLength

// Prepare reads the beginning of a data set. It may be called by any goroutine, also while
// another message is sent: a disk that is slow holds up nobody then. Its error is a
// *SourceError.
func (c *Conn) Prepare(r io.Reader) (Message, error) {
	m := Message{c: c, r: r, buf: sendBuffer(messageRoom + c.fragment + 1)}
	m.n, m.end = io.ReadFull(r, (*m.buf)[messageRoom:messageRoom+c.fragment+1])
	if m.end != nil && !atEnd(m.end) {
		m.Discard()
		return Message{}, &SourceError{m.end}
	}
	return m, nil
}

// Discard gives back what a message holds that is not sent.
func (m *Message) Discard() {
	if m.buf != nil {
		buffers.Put(m.buf)
		m.buf = nil
	}
}

// Send sends m as WriteMessageFrom does, with the rest of the data set.
func (m *Message) Send(context byte, command []byte) (sent int64, err error) {
	defer m.Discard()
	c := m.c
	c.msg.Lock()
	defer c.msg.Unlock()
	if err := c.flush(); err != nil {
		return 0, err
	}
	head, err := c.writeCommand(context, command)
	body := (*m.buf)[messageRoom : messageRoom+c.fragment+1]
	n, rerr := m.n, m.end
	for err == nil {
		last := rerr != nil
		if !last {
			n = c.fragment
		}
		appendPDVHeader((*m.buf)[:0], PDV{context, false, last, uint32(n)})
		if err = c.data(head, (*m.buf)[:messageRoom+n]); err != nil {
			return sent, c.cut(err, len(head) == 0)
		}
		sent += int64(n)
		if last {
			return sent, nil
		}
		head = nil
		body[0] = body[c.fragment] // the byte read ahead tells whether more follows
		n, rerr = io.ReadFull(m.r, body[1:])
		n++
		if rerr != nil && !atEnd(rerr) {
			err = &SourceError{rerr}
			c.abort(Abort{SourceUser, ReasonNotSpecified}, err)
		}
	}
	return sent, err
}

// SourceError reports that a data set could not be read from where it comes from.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return "ul: reading the data set to send: " + e.Err.Error() }

// Unwrap returns the source's error.
func (e *SourceError) Unwrap() error { return e.Err }

func atEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
