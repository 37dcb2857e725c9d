package dimsefront

import (
	"testing"

	"gantry/dimse"
)

// TestMoveLimit holds what S23 asks for: one address cannot have the archive send without
// bound, and does not stand in another's way.
func TestMoveLimit(t *testing.T) {
	l := limitMoves(dimse.HandlerFunc(func(dimse.ResponseWriter, *dimse.Request) {}))
	for range maxMoves {
		if !l.enter("10.0.0.1") {
			t.Fatal("refused below the limit")
		}
	}
	if l.enter("10.0.0.1") || !l.enter("10.0.0.2") {
		t.Error("the limit is not one for each address")
	}
	l.leave("10.0.0.1")
	if !l.enter("10.0.0.1") {
		t.Error("a place that was left is not free")
	}
	for range maxMoves {
		l.leave("10.0.0.1")
	}
	l.leave("10.0.0.2")
	if len(l.running) != 0 {
		t.Errorf("%d addresses are remembered", len(l.running))
	}
}
