package memory

import (
	"cmp"
	"context"
	"slices"

	"gantry/internal/archive/record"
)

func (x *Index) fact(e *record.Envelope) {
	f, ok := e.Fact()
	if !ok {
		return
	}
	if x.facts == nil {
		x.facts = map[[2]string]record.Fact{}
	}
	key := [2]string{f.Kind, f.Subject}
	if x.facts[key] = f; len(f.Value) == 0 {
		delete(x.facts, key)
	}
}

// Facts implements index.Index.
func (x *Index) Facts(_ context.Context, kind, from string, n int) ([]record.Fact, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var out []record.Fact
	for _, f := range x.facts {
		if f.Kind == kind && f.Subject >= from {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b record.Fact) int { return cmp.Compare(a.Subject, b.Subject) })
	return out[:min(max(n, 0), len(out))], nil
}
