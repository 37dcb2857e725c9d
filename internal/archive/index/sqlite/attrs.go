package sqlite

import (
	"context"
	"fmt"
	"sync"

	"gantry/internal/archive/index"
)

// packedPatch is the first byte of attributes that are a patch of their series' base; 0
// and 1 are index.Pack's.
const packedPatch = 2

// maxBase is the largest base; attributes of more bytes are kept whole.
const maxBase = 16 << 10

// packAttrs packs an instance's attributes: as a patch of the first ones of its series,
// or whole when that would not save half.
func (b *batch) packAttrs(se *series, raw []byte) ([]byte, error) {
	if se.basePK == 0 && len(raw) <= maxBase {
		if err := b.createBase(se, raw); err != nil {
			return nil, err
		}
	}
	if se.basePK != 0 && se.base == nil {
		var err error
		if se.base, err = b.loadBase(se.basePK); err != nil {
			return nil, err
		}
	}
	if se.base != nil {
		if p := index.Patch(se.base, raw); len(p) < len(raw)/2 {
			return append([]byte{packedPatch}, p...), nil
		}
	}
	return index.Pack(raw)
}

func (b *batch) createBase(se *series, raw []byte) error {
	packed, err := index.Pack(raw)
	if err != nil {
		return err
	}
	if se.basePK, err = b.create("INSERT INTO base (attrs) VALUES (?)", packed); err != nil {
		return err
	}
	se.base = raw
	_, err = b.x.exec(b.ctx, "UPDATE series SET base = ? WHERE pk = ?", se.basePK, se.pk)
	return err
}

// loadBase reads a base for the writer.
func (b *batch) loadBase(pk int64) ([]byte, error) {
	var packed []byte
	found, err := b.x.row(b.ctx, "SELECT attrs FROM base WHERE pk = ?", []any{pk}, &packed)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%w: base %d is missing", index.ErrKept, pk)
	}
	return index.Unpack(packed)
}

// unpackAttrs undoes packAttrs.
func unpackAttrs(packed []byte, base func() ([]byte, error)) ([]byte, error) {
	if len(packed) == 0 || packed[0] != packedPatch {
		return index.Unpack(packed)
	}
	b, err := base()
	if err != nil {
		return nil, err
	}
	return index.Unpatch(b, packed[1:])
}

// maxBases is how many bases the readers remember.
const maxBases = 128

// bases remembers the bases of the series read last.
type bases struct {
	mu sync.Mutex
	m  map[int64][]byte
}

func (c *bases) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m = nil
}

// base returns a base for the readers. Bases never change.
func (x *Index) base(ctx context.Context, pk int64) ([]byte, error) {
	x.bases.mu.Lock()
	raw := x.bases.m[pk]
	x.bases.mu.Unlock()
	if raw != nil {
		return raw, nil
	}
	rows, err := x.query(ctx, "SELECT attrs FROM base WHERE pk = ?", pk)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var packed []byte
	for rows.Next() {
		if err := rows.Scan(&packed); err != nil {
			return nil, err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if raw, err = index.Unpack(packed); err != nil {
		return nil, fmt.Errorf("base %d: %w", pk, err)
	}
	x.bases.mu.Lock()
	defer x.bases.mu.Unlock()
	if x.bases.m == nil || len(x.bases.m) >= maxBases {
		x.bases.m = map[int64][]byte{}
	}
	x.bases.m[pk] = raw
	return raw, nil
}
