package server

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"gantry/internal/archive/fsck"
	"gantry/internal/archive/scrub"
	"gantry/internal/config"
	"gantry/internal/front/adminapi"
	"gantry/internal/obs"
)

// newScrubber reads stored objects again. Its Run is for the background; the Guard of what
// it found, now or before the start, holds even when it is off.
func (s *Server) newScrubber(ctx context.Context, c *config.Config) (*scrub.Scrubber, error) {
	guard := &scrub.Guard{Opener: s.archive.store}
	if err := guard.Load(ctx, s.archive.index); err != nil {
		return nil, fmt.Errorf("damaged objects: %w", err)
	}
	b := &scrub.Scrubber{Store: s.archive.store, Index: s.archive.index, Guard: guard, Rate: int64(c.Storage.ScrubRate) * 1_000_000,
		Every: c.Storage.ScrubEvery, Backup: c.Storage.RepairFrom, Busy: busy(s.archive.ingest.Stored, time.Now), Now: time.Now, Log: s.log.Logger}
	m := s.metrics
	m.Gauge("gantry_damaged_objects", "Stored objects that are damaged and not sent to anybody.", func() int64 { return int64(guard.Len()) })
	m.Counter("gantry_scrub_read_bytes_total", "Bytes of stored objects that were read again.", &b.Read)
	m.Counter("gantry_scrub_objects_total", "Stored objects that were read again.", &b.Objects)
	m.Counter("gantry_scrub_damaged_total", "Damaged objects found.", &b.Found)
	m.Counter("gantry_scrub_mended_total", "Damaged objects mended from another copy.", &b.Mended)
	return b, nil
}

// busyFor is how long after an object came senders count as at work.
const busyFor = time.Second

// busy reports whether objects were stored of late.
func busy(stored func() int64, now func() time.Time) func() bool {
	var last, at atomic.Int64
	return func() bool {
		t := now().UnixNano()
		if n := stored(); last.Swap(n) != n {
			at.Store(t)
		}
		return t-at.Load() < int64(busyFor)
	}
}

// scrubs reports whether the configuration wants it.
func scrubs(c *config.Config) bool { return c.Storage.ScrubRate > 0 && c.Storage.ScrubEvery > 0 }

// damaged lists what is damaged, for the HTTP side.
func (s *Server) damaged(ctx context.Context, limit int) ([]adminapi.Damaged, error) {
	list, err := s.archive.index.Damaged(ctx, limit)
	out := make([]adminapi.Damaged, len(list))
	for i := range list {
		l := &list[i].Location
		out[i] = adminapi.Damaged{Instance: string(l.Instance), Record: string(l.Record), Ref: string(l.Ref),
			Reason: list[i].Reason, Found: list[i].Found, Mend: fsck.DamagedObject.Mend()}
	}
	return out, err
}

// damageHealth is degraded while anything is damaged: the rest is served.
func (s *Server) damageHealth(context.Context) obs.Finding {
	if n := s.guard.Len(); n > 0 {
		return obs.Finding{Level: obs.Degraded, Message: fmt.Sprintf("%d stored objects are damaged: see /damaged and gantry fsck --repair", n)}
	}
	return obs.Finding{Level: obs.Healthy}
}
