package server

import (
	"testing"
	"time"

	"gantry/internal/archive/fsck"
)

func TestBusy(t *testing.T) {
	now, stored := time.Unix(1e9, 0), int64(0)
	b := busy(func() int64 { return stored }, func() time.Time { return now })
	for i, c := range []struct {
		stored int64
		after  time.Duration
		want   bool
	}{{0, 0, false}, {1, time.Second, true}, {1, busyFor / 2, true}, {1, busyFor, false}, {5, time.Hour, true}} {
		now, stored = now.Add(c.after), c.stored
		if got := b(); got != c.want {
			t.Errorf("look %d: %v", i, got)
		}
	}
}

// TestPlan: files without a record stay while the log is damaged, for they may be its objects.
func TestPlan(t *testing.T) {
	orphan, object := fsck.Finding{Kind: fsck.Orphan}, fsck.Finding{Kind: fsck.DamagedObject, Instance: "1.2"}
	p := PlanOf([]fsck.Finding{orphan, object, {Kind: fsck.Differs}})
	if !p.Reindex || len(p.Mend) != 1 || len(p.Orphans) != 1 || len(p.Left) != 0 {
		t.Errorf("%+v", p)
	}
	p = PlanOf([]fsck.Finding{orphan, {Kind: fsck.DamagedRecord}, {Kind: fsck.DamagedRecord, Instance: "1.2"}, {Kind: fsck.NotStored}})
	if p.Reindex || len(p.Mend) != 1 || len(p.Orphans) != 0 || len(p.Left) != 3 {
		t.Errorf("%+v", p)
	}
}
