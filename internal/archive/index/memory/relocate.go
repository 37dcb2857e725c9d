package memory

import (
	"context"
	"maps"

	"gantry/internal/archive/record"
)

// Generations returns in which generation of each rewritten segment the index knows the
// objects.
func (x *Index) Generations(context.Context) (map[uint64]uint32, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return maps.Clone(x.generations), nil
}

// Relocate notes where the objects of a segment's generation are.
func (x *Index) Relocate(_ context.Context, segment uint64, generation uint32, moved []record.Moved) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	to := make(map[record.ID]record.Ref, len(moved))
	for _, m := range moved {
		to[m.Record] = m.Ref
	}
	for _, in := range x.instances {
		if ref, ok := to[in.e.Envelope.ID]; ok {
			in.e.Stored.Ref = ref
		}
	}
	if x.generations == nil {
		x.generations = map[uint64]uint32{}
	}
	x.generations[segment] = generation
	return nil
}
