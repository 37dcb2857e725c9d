package fsblob

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"gantry/internal/archive/record"
)

// scanned is a record found in a segment.
type scanned struct {
	env        record.Envelope
	sums       record.Sums
	start, end int64
	body       int64
}

func (m *scanned) packed() bool { return m.env.Kind == record.Put }

func (m *scanned) stored(segment segmentID) record.Stored {
	st := record.Stored{Position: record.Position{Segment: segment.number, Offset: m.end}, Sums: m.sums}
	if m.env.Kind.HasObject() {
		st.Ref = place{segment: segment, offset: m.body, head: m.sums.Head, size: m.sums.Size(), path: m.env.Path}.ref()
	}
	return st
}

func (m *scanned) logged(segment segmentID) record.Logged {
	return record.Logged{Envelope: m.env, Stored: m.stored(segment)}
}

// readMember reads the record at offset at of r, without its body. It returns io.EOF at a
// zero block and at limit, an error that is errBadMember for anything else that is no
// record.
func readMember(r io.ReaderAt, at, limit int64) (m scanned, err error) {
	var h [block]byte
	if limit-at < block {
		return m, io.EOF
	}
	if err := readFull(r, h[:], at); err != nil {
		return m, err
	}
	if isZero(h[:]) {
		return m, io.EOF
	}
	flag, n, err := parseHeader(h[:])
	if err != nil {
		return m, err
	}
	if flag != 'x' && flag != 'g' || n > maxPax || at+block+align(n) > limit {
		return m, fmt.Errorf("%w: type %q, %d bytes", errBadMember, flag, n)
	}
	pax := make([]byte, n)
	if err := readFull(r, pax, at+block); err != nil {
		return m, err
	}
	m.start, m.end = at, at+block+align(n)
	if err := m.parse(pax); err != nil {
		return m, err
	}
	if m.packed() != (flag == 'x') {
		return m, fmt.Errorf("%w: a %s record of type %q", errBadMember, m.env.Kind, flag)
	}
	if m.packed() {
		err = m.readBodyHeader(r, limit)
	}
	return m, err
}

func (m *scanned) parse(pax []byte) error {
	sum, env, err := parsePax(pax)
	if err != nil {
		return err
	}
	crc, sums, err := parseSums(sum)
	if err != nil {
		return err
	}
	if crc32.Checksum(env, castagnoli) != crc {
		return fmt.Errorf("%w: envelope's sum", errBadMember)
	}
	m.sums = sums
	if m.env, err = record.Unmarshal(env); err != nil {
		return fmt.Errorf("%w: %w", errBadMember, err)
	}
	return nil
}

func (m *scanned) readBodyHeader(r io.ReaderAt, limit int64) error {
	var h [block]byte
	if limit-m.end < block {
		return fmt.Errorf("%w: cut", errBadMember)
	}
	if err := readFull(r, h[:], m.end); err != nil {
		return err
	}
	flag, n, err := parseHeader(h[:])
	if err != nil {
		return err
	}
	m.body = m.end + block
	if flag != '0' || n != m.sums.Size() || limit-m.body < n {
		return fmt.Errorf("%w: body of type %q, %d bytes", errBadMember, flag, n)
	}
	m.end = m.body + min(align(n), limit-m.body)
	return nil
}

// verify checks the sums of the body.
func (m *scanned) verify(r io.ReaderAt) error {
	if !m.packed() {
		return nil
	}
	for _, p := range [2]struct {
		off, n int64
		crc    uint32
	}{{m.body, m.sums.Head, m.sums.HeadCRC}, {m.body + m.sums.Head, m.sums.Data, m.sums.DataCRC}} {
		crc, err := checksum(io.NewSectionReader(r, p.off, p.n))
		if err != nil {
			return err
		}
		if crc != p.crc {
			return fmt.Errorf("%w: body's sum", errBadMember)
		}
	}
	return nil
}

// checksum returns the crc32c of what r has.
func checksum(r io.Reader) (uint32, error) {
	buf := largeChunks.Get().(*[nextChunk]byte)
	defer largeChunks.Put(buf)
	var crc uint32
	for {
		n, err := r.Read(buf[:])
		crc = crc32.Update(crc, castagnoli, buf[:n])
		if errors.Is(err, io.EOF) {
			return crc, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// resync returns the offset of the first record behind at whose headers are whole, and
// whether anything but zeros lies before it or, when there is none, before limit.
func resync(r io.ReaderAt, at, limit int64) (next int64, garbage bool, err error) {
	buf := make([]byte, nextChunk)
	for at < limit {
		n := min(int64(len(buf)), limit-at)
		if err := readFull(r, buf[:n], at); err != nil {
			return limit, garbage, err
		}
		for i := int64(0); i < n; i += block {
			b := buf[i:min(i+block, n)]
			if isZero(b) {
				continue
			}
			if len(b) == block && (b[156] == 'x' || b[156] == 'g') {
				if _, err := readMember(r, at+i, limit); err == nil {
					return at + i, garbage, nil
				}
			}
			garbage = true
		}
		at += n
	}
	return limit, garbage, nil
}

func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: cut", errBadMember)
	}
	return err
}
