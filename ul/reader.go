package ul

import (
	"errors"
	"io"
	"os"
	"time"
)

// waitMode tells which deadline a read has.
type waitMode uint8

const (
	waitARTIM   waitMode = iota // until the absolute time reader.until
	waitIdle                    // for the first byte of a message: reader.idle, zero is for ever
	waitMessage                 // inside a message: Options.Read and Options.MinRate
)

// reader is the buffered reading side of a Conn, with its deadlines. The buffer is small
// on purpose: an idle association has no other.
type reader struct {
	c    *Conn
	r, w int
	mode waitMode

	until   time.Time     // waitARTIM
	idle    time.Duration // waitIdle
	blocked time.Duration // time spent waiting for the peer in this message
	bytes   int64         // received in this message
	limit   time.Time     // read deadline in force on the transport
	quick   quickAck

	buf [1024]byte
}

// fill makes at least n bytes available in the buffer, n <= len(buf).
func (d *reader) fill(n int) ([]byte, error) {
	if d.w-d.r >= n {
		return d.buf[d.r:d.w], nil
	}
	d.w = copy(d.buf[:], d.buf[d.r:d.w])
	d.r = 0
	for d.w < n {
		m, err := d.receive(d.buf[d.w:])
		d.w += m
		if err != nil && d.w < n {
			if errors.Is(err, io.EOF) && d.w > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return d.buf[:d.w], nil
}

// Read reads into p, from the buffer first, past it when p is long enough.
func (d *reader) Read(p []byte) (int, error) {
	if d.r < d.w {
		n := copy(p, d.buf[d.r:d.w])
		d.r += n
		return n, nil
	}
	if len(p) >= len(d.buf) {
		return d.receive(p)
	}
	if _, err := d.fill(1); err != nil {
		return 0, err
	}
	n := copy(p, d.buf[d.r:d.w])
	d.r += n
	return n, nil
}

// receive makes one read of the transport under the deadline of the mode.
func (d *reader) receive(p []byte) (int, error) {
	if d.c.interrupted.Load() {
		return 0, ErrInterrupted
	}
	start := time.Now()
	if err := d.arm(start); err != nil {
		return 0, err
	}
	if d.mode == waitMessage && d.bytes < quickAckBytes {
		d.quick.ask()
	}
	n, err := d.c.nc.Read(p)
	if n > 0 {
		d.c.in.Add(int64(n))
		if d.mode == waitIdle {
			d.mode = waitMessage // the first bytes of a message; waiting for them was free
			start = time.Time{}
		}
		d.bytes += int64(n)
	}
	if d.mode == waitMessage && !start.IsZero() {
		d.blocked += time.Since(start)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && d.c.interrupted.Load() {
		err = ErrInterrupted
	}
	return n, err
}

// wait returns how long the next read may take, zero for ever, negative not at all.
func (d *reader) wait(now time.Time) time.Duration {
	switch d.mode {
	case waitARTIM:
		if w := d.until.Sub(now); w > 0 {
			return w
		}
		return -1
	case waitIdle:
		return d.idle
	}
	o := &d.c.opts
	earned := time.Duration(d.bytes/int64(o.MinRate)) * time.Second
	if w := min(o.Read, o.Read+earned-d.blocked); w > 0 {
		return w
	}
	return -1
}

// arm sets the transport's read deadline, unless the one in force is near enough: within
// an eighth before the wanted one.
func (d *reader) arm(now time.Time) error {
	w := d.wait(now)
	if w < 0 {
		return os.ErrDeadlineExceeded
	}
	if w == 0 {
		if d.limit.IsZero() {
			return nil
		}
		d.limit = time.Time{}
	} else {
		want := now.Add(w)
		if !d.limit.IsZero() && !d.limit.After(want) && d.limit.After(want.Add(-w/8)) {
			return nil
		}
		d.limit = want
	}
	err := d.c.nc.SetReadDeadline(d.limit)
	if d.c.interrupted.Load() {
		d.c.nc.SetReadDeadline(time.Unix(1, 0))
	}
	return err
}

// skip drops n bytes.
func (d *reader) skip(n uint32) error {
	for n > 0 {
		m, err := d.skipSome(n)
		if err != nil {
			return err
		}
		n -= m
	}
	return nil
}

// skipSome drops at least one and at most n bytes and returns how many.
func (d *reader) skipSome(n uint32) (uint32, error) {
	b, err := d.fill(1)
	if err != nil {
		return 0, err
	}
	m := min(uint32(len(b)), n)
	d.r += int(m)
	return m, nil
}

// body reads n bytes into new memory that grows only as they arrive.
func (d *reader) body(n int) ([]byte, error) {
	b := make([]byte, 0, min(n, 4096))
	for len(b) < n {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), min(n, 2*cap(b)))
			copy(grown, b)
			b = grown
		}
		m, err := d.Read(b[len(b):min(n, cap(b))])
		b = b[:len(b)+m]
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}
