package scrub

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/record"
)

// ErrDamaged refuses to hand out bytes that are known to be wrong.
var ErrDamaged = errors.New("the stored object is damaged")

// Opener opens stored objects.
type Opener interface {
	Open(context.Context, record.Ref) (blob.Object, error)
}

// Guard is an Opener that refuses damaged objects. It is safe for concurrent use.
type Guard struct {
	Opener
	mu  sync.RWMutex
	bad map[record.Ref]bool
}

// Open opens an object that is not known to be damaged.
func (g *Guard) Open(ctx context.Context, r record.Ref) (blob.Object, error) {
	if g.Has(r) {
		return nil, fmt.Errorf("%w: mend it with gantry fsck --repair", ErrDamaged)
	}
	return g.Opener.Open(ctx, r)
}

// Has reports whether an object is known to be damaged.
func (g *Guard) Has(r record.Ref) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.bad[r]
}

// Len returns how many are.
func (g *Guard) Len() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.bad)
}

// Add notes a damaged object.
func (g *Guard) Add(r record.Ref) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bad == nil {
		g.bad = map[record.Ref]bool{}
	}
	g.bad[r] = true
}

// Remove notes that an object is well again.
func (g *Guard) Remove(r record.Ref) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.bad, r)
}

// MostDamaged bounds what a Guard remembers of an index: an archive with more damage than
// that is to be restored as a whole.
const MostDamaged = 1_000_000

// Load notes what an index says is damaged.
func (g *Guard) Load(ctx context.Context, x Index) error {
	list, err := x.Damaged(ctx, MostDamaged)
	for i := range list {
		g.Add(list[i].Location.Ref)
	}
	return err
}
