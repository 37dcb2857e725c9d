package j2k

import (
	"encoding/binary"
	"slices"
)

// bitSink collects bits, the lowest first.
type bitSink struct {
	b   []byte
	at  int // whole bytes in b
	acc uint64
	n   uint // bits in acc, below 8
}

func (s *bitSink) start() { s.at, s.acc, s.n = 0, 0, 0 }

// room makes room for n bits and a few bytes behind them.
func (s *bitSink) room(n int) {
	if need := s.at + n/8 + 24; need > len(s.b) {
		s.b = append(s.b[:s.at], make([]byte, 2*need-s.at)...)
	}
}

// put takes n bits, up to 56, for which there must be room.
func (s *bitSink) put(v uint64, n uint) {
	s.acc |= v << (s.n & 7)
	binary.LittleEndian.PutUint64(s.b[s.at:], s.acc)
	s.n += n
	s.at += int(s.n >> 3)
	s.acc >>= s.n & 0x38
	s.n &= 7
}

// bits is how many there are.
func (s *bitSink) bits() uint { return 8*uint(s.at) + s.n }

// close returns the bits and ones behind them, enough for look.
func (s *bitSink) close() []byte {
	s.room(0)
	out := binary.LittleEndian.AppendUint64(s.b[:s.at], s.acc|^uint64(0)<<s.n)
	return append(out, 255, 255, 255, 255, 255, 255, 255, 255)
}

// stuff appends n bits as bytes, of which one behind FF has seven bits (T.814 7.1.2). Ones
// fill the last up; an FF there is left out, as readers see ones behind the end.
func stuff(to, from []byte, n uint) []byte {
	for at, last := uint(0), byte(0); at < n; {
		w := look(from, at)
		if last != 0xFF && at+56 <= n && !hasFF(w&(1<<56-1)) {
			to = binary.LittleEndian.AppendUint64(to, w)
			to, at, last = to[:len(to)-1], at+56, 0
			continue
		}
		k := uint(8)
		if last == 0xFF {
			k = 7
		}
		last = byte(w & (1<<k - 1))
		to, at = append(to, last), at+k
	}
	if k := len(to); k > 0 && to[k-1] == 0xFF {
		to = to[:k-1]
	}
	return to
}

// stuffBack appends n bits as bytes that are read from the last to the first, seven to a
// byte of ones in front of one above 8F (T.814 7.1.4). The last byte and four bits of the
// one in front are left for the length.
func stuffBack(to, from []byte, n uint) []byte {
	mark := len(to)
	v := byte(look(from, 0)) & 15
	at := uint(4)
	if v&7 == 7 {
		v, at = 7, 3
	}
	to = append(to, 0xFF, v<<4|0xF)
	for at < n {
		v, high := byte(look(from, at)), to[len(to)-1] > 0x8F
		at += 8
		if high && v&0x7F == 0x7F {
			v, at = 0x7F, at-1
		}
		to = append(to, v)
	}
	slices.Reverse(to[mark:])
	return to
}

// melEncoder is the counterpart of mel.
type melEncoder struct {
	out []byte
	cur byte
	ct  uint // bits that cur has room for
	k   int
	run int
}

func (m *melEncoder) start() { *m = melEncoder{out: m.out[:0], ct: 8} }

func (m *melEncoder) put(v int) {
	m.ct--
	m.cur |= byte(v&1) << m.ct
	if m.ct == 0 {
		m.out = append(m.out, m.cur)
		m.ct = 8
		if m.cur == 0xFF {
			m.ct = 7
		}
		m.cur = 0
	}
}

func (m *melEncoder) bit(one bool) {
	e := int(melExp[m.k])
	if !one {
		if m.run++; m.run == 1<<e {
			m.put(1)
			m.run, m.k = 0, min(m.k+1, 12)
		}
		return
	}
	m.put(0)
	for e--; e >= 0; e-- {
		m.put(m.run >> e)
	}
	m.run, m.k = 0, max(m.k-1, 0)
}

// close ends the last run and byte; behind an FF there is one more.
func (m *melEncoder) close() []byte {
	if m.run > 0 {
		m.put(1)
	}
	if m.ct < 8 {
		m.out = append(m.out, m.cur)
	}
	return m.out
}
