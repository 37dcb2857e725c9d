package sqlite

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/memory"
)

// TestBoundsOfPages: wherever the lots of keys and the pages of rows end, the answers are
// the same.
func TestBoundsOfPages(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 2))
	x, y := open(t, filepath.Join(t.TempDir(), "index.db")), new(memory.Index)
	indextest.Both(t, rng, x, y, func() {})
	for _, n := range []struct{ keys, most, first, next int }{{1, 1, 1, 1}, {1, 3, 2, 5}, {3, 20, 1, 3}, {16, 16, 16, 16}, {4, 8, 16, 256}} {
		set(t, &firstKeys, n.keys)
		set(t, &mostKeys, n.most)
		set(t, &firstPage, n.first)
		set(t, &nextPage, n.next)
		indextest.SameAnswers(t, rng, x, y, 300)
	}
}
