package memory_test

import (
	"testing"

	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/memory"
)

func TestConformance(t *testing.T) {
	indextest.Run(t, func(*testing.T) index.Index { return new(memory.Index) })
}
