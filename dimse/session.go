package dimse

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/ul"
)

// maxFragments caps the fragments of one command set: more than any writer needs, and an
// end to empty ones.
const maxFragments = 1024

// presentation is an accepted presentation context.
type presentation struct {
	id            byte
	class, syntax uid.UID
	scu, scp      bool // roles of the association's requestor (PS3.7 D.3.3.4)
}

// session is what both sides of an association share: messages over a ul.Conn. Reading is
// for one goroutine at a time.
type session struct {
	conn     *ul.Conn
	contexts []presentation // accepted ones
	partial  partial
	cmd      [256]byte // command sets up to that size
}

// context returns the accepted context with an ID.
func (s *session) context(id byte) *presentation {
	for i := range s.contexts {
		if s.contexts[i].id == id {
			return &s.contexts[i]
		}
	}
	return nil
}

// partial is a command set of which some was read. It survives an interruption.
type partial struct {
	buf  []byte
	pc   *presentation
	n    int // fragments
	left int // bytes of the present fragment
	last bool
}

// readCommand reads the command set of the next message into c. After an interruption it
// goes on where it was.
func (s *session) readCommand(c *Command) (*presentation, error) {
	r := &s.partial
	for !r.last || r.left > 0 {
		if r.left > 0 {
			if err := s.readFragment(r); err != nil {
				return nil, err
			}
			continue
		}
		p, err := s.conn.NextPDV()
		if err != nil {
			return nil, err
		}
		if r.pc, err = s.checkCommandPDV(p, r.pc, r.n, len(r.buf)); err != nil {
			return nil, s.abort(err)
		}
		r.n, r.left, r.last = r.n+1, int(p.Length), p.Last
	}
	pc, buf := r.pc, r.buf
	*r = partial{}
	*c = Command{}
	if err := c.decode(buf, pc.class); err != nil {
		return nil, s.abort(err)
	}
	return pc, nil
}

// checkCommandPDV vets fragment n of a command set of which have bytes were read.
func (s *session) checkCommandPDV(p ul.PDV, pc *presentation, n, have int) (*presentation, error) {
	switch {
	case !p.Command:
		return nil, protocolError("a data set fragment where a command set should begin")
	case pc != nil && pc.id != p.Context:
		return nil, protocolError("a command set that moves from presentation context %d to %d", pc.id, p.Context)
	case n >= maxFragments:
		return nil, protocolError("a command set of more than %d fragments", maxFragments)
	case uint64(p.Length)+uint64(have) > MaxCommand:
		return nil, protocolError("a command set of more than %d bytes", MaxCommand)
	}
	if pc == nil {
		if pc = s.context(p.Context); pc == nil {
			return nil, protocolError("presentation context %d was not accepted", p.Context)
		}
	}
	return pc, nil
}

// readFragment reads what has arrived of the present fragment; memory grows with it.
func (s *session) readFragment(r *partial) error {
	if r.buf == nil {
		r.buf = s.cmd[:0]
	}
	if len(r.buf) == cap(r.buf) {
		grown := make([]byte, len(r.buf), 2*cap(r.buf))
		copy(grown, r.buf)
		r.buf = grown
	}
	m, err := s.conn.Read(r.buf[len(r.buf):min(cap(r.buf), len(r.buf)+r.left)])
	r.buf, r.left = r.buf[:len(r.buf)+m], r.left-m
	return err
}

// abort aborts the association because of a peer's error in err and returns err.
func (s *session) abort(err error) error {
	s.conn.Abort(ul.SourceUser, ul.ReasonNotSpecified)
	return err
}

// dataReader reads the data set of the message whose command set was read last.
type dataReader struct {
	s       *session
	context byte
	n       int64 // bytes read
	last    bool  // the fragment being read is the last
	open    bool  // a fragment is being read
	err     error // io.EOF at the end; sticks
}

func (d *dataReader) reset(s *session, context byte) { *d = dataReader{s: s, context: context} }

// Read implements io.Reader: bytes of the data set as they arrive.
func (d *dataReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for d.err == nil {
		if !d.open {
			if err := d.next(); errors.Is(err, ul.ErrInterrupted) {
				return 0, err // reading may go on later
			} else if err != nil {
				d.err = err
			}
			continue
		}
		n, err := d.s.conn.Read(p)
		d.n += int64(n)
		if n > 0 {
			return n, nil
		}
		if errors.Is(err, ul.ErrInterrupted) {
			return 0, err
		}
		d.fragmentEnd(err)
	}
	return 0, d.err
}

// fragmentEnd notes that a fragment was read, or failed with err.
func (d *dataReader) fragmentEnd(err error) {
	d.open = false
	if err != io.EOF {
		d.err = err
	} else if d.last {
		d.err = io.EOF
	}
}

func (d *dataReader) next() error {
	p, err := d.s.conn.NextPDV()
	if err != nil {
		if err == ul.ErrReleaseRequested {
			return d.s.abort(protocolError("a release request inside a data set"))
		}
		return err
	}
	if p.Command || p.Context != d.context {
		return d.s.abort(protocolError("another message inside a data set"))
	}
	d.last, d.open = p.Last, true
	return nil
}

// drain reads what is left, at most limit bytes; more aborts the association.
func (d *dataReader) drain(limit int64) error {
	var buf [4096]byte
	for left := limit; d.err == nil; {
		n, err := d.Read(buf[:])
		if errors.Is(err, ul.ErrInterrupted) {
			return err
		}
		if left -= int64(n); left < 0 {
			d.err = d.s.abort(protocolError("more than %d bytes of an unwanted data set", limit))
		}
	}
	if d.err == io.EOF {
		return nil
	}
	return d.err
}

// readAll reads the data set, see readAll.
func (d *dataReader) readAll(limit int64) ([]byte, error) { return readAll(d, limit) }

// readAll reads a data set into memory that grows as it arrives, and returns it in as much
// as it takes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b := encoded.Get().(*[]byte)
	data := (*b)[:0]
	defer func() { keepEncoded(b, data) }()
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, &StatusError{Status: OutOfResources, Comment: "data set too long"}
		case err == io.EOF:
			if cap(data) > maxEncoded {
				return data, nil
			}
			return bytes.Clone(data), nil
		case err != nil:
			return nil, err
		}
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
	}
}

// write sends a message; ds is nil for one without data set. HasData is set from it.
func (s *session) write(pc *presentation, c *Command, ds *dicom.DataSet) error {
	return s.send(pc, c, ds, s.conn.WriteMessage)
}

// encoded holds buffers of data sets on their way; larger ones are not kept.
var encoded = sync.Pool{New: func() any {
	b := make([]byte, 0, 1024)
	return &b
}}

const maxEncoded = 64 << 10

func keepEncoded(b *[]byte, data []byte) {
	if cap(data) <= maxEncoded {
		*b = data
		encoded.Put(b)
	}
}

func (s *session) send(pc *presentation, c *Command, ds *dicom.DataSet, write func(byte, []byte, []byte) error) error {
	var buf [256]byte
	var data []byte
	c.HasData = ds != nil
	if ds != nil {
		b := encoded.Get().(*[]byte)
		var err error
		if data, err = dicom.AppendEncode((*b)[:0], ds, pc.syntax); err != nil {
			return err
		}
		defer func() { keepEncoded(b, data) }()
	}
	return write(pc.id, c.Append(buf[:0]), data)
}
