package vfs

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
)

// sector is the unit that a disk writes whole.
const sector = 512

// Crash returns the file system that the machine finds after losing power now: names and
// bytes that were synced are all there; of the rest, names survive up to a random point of
// their order, and of each unsynced write a random choice of its 512-byte sectors, a
// prefix of them, all or none. m is not changed; its open files and locks are of no use to
// the copy, whose quota is unlimited.
func (m *Mem) Crash(rng *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := NewMem()
	names := make(map[string]*node, len(m.durable))
	for name, n := range m.durable {
		names[name] = n
	}
	for _, op := range m.pending[:rng.IntN(len(m.pending)+1)] {
		op.apply(names)
	}
	copies := map[*node]*node{}
	for name, n := range names {
		if !reachable(names, name) {
			continue
		}
		c := copies[n]
		if c == nil {
			data := n.survivors(rng)
			c = &node{dir: n.dir, data: data, synced: bytes.Clone(data)}
			copies[n] = c
			out.used += int64(len(data))
		}
		c.links++
		out.names[name], out.durable[name] = c, c
	}
	return out
}

// reachable reports whether all folders above name survived.
func reachable(names map[string]*node, name string) bool {
	for dir := filepath.Dir(name); ; dir = filepath.Dir(dir) {
		if n := names[dir]; n == nil || !n.dir {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

// survivors returns what a disk may hold of the file.
func (n *node) survivors(rng *rand.Rand) []byte {
	data := bytes.Clone(n.synced)
	last := len(n.pending)
	if rng.IntN(2) == 0 { // writes reach the disk in order, the last one partly
		last = rng.IntN(len(n.pending) + 1)
	}
	for i, w := range n.pending[:last] {
		data = w.torn(rng, i == last-1).apply(data)
	}
	return data
}

// torn returns w, or a write of the length it would have with some sectors missing. The
// missing ones read as zeros, as a newly allocated block does.
func (w write) torn(rng *rand.Rand, last bool) write {
	if w.data == nil {
		return w
	}
	mode := rng.IntN(4)
	out := write{off: w.off, data: bytes.Clone(w.data)}
	for at := 0; at < len(out.data); {
		end := min(len(out.data), at+sector-int((w.off+int64(at))%sector))
		lost := mode == 1 && rng.IntN(2) == 0 || mode == 2 && last && rng.IntN(8) == 0
		if lost {
			clear(out.data[at:end])
		}
		if mode == 3 && rng.IntN(1+len(w.data)/sector) == 0 {
			out.data = out.data[:at]
			break
		}
		at = end
	}
	return out
}
