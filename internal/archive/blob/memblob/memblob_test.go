package memblob

import (
	"testing"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/blobtest"
)

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Store { return new(Store) })
}
