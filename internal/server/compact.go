package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/archive/backup"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/compact"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
	"gantry/internal/archive/scrub"
	"gantry/internal/config"
	"gantry/internal/vfs"
)

// The compactor of a server at work: half of a segment must be gone before it is rewritten,
// and for some minutes the old one stays for those who know its places.
const (
	compactShare = 0.5
	compactGrace = 10 * time.Minute
)

// newCompactor rewrites segments of an archive.
func (a *archive) newCompactor(c *config.Config, guard *scrub.Guard) *compact.Compactor {
	return &compact.Compactor{Store: a.store, Index: a.index, Guard: guard, Migrate: c.Storage.Migrate,
		Damaged: func(ctx context.Context) ([]index.Damaged, error) { return a.index.Damaged(ctx, scrub.MostDamaged) },
		Lock:    func() (io.Closer, error) { return vfs.OS{}.Lock(filepath.Join(a.dir, backup.LockName)) }}
}

// compactor rewrites segments in the background, or only ends what was begun before.
func (s *Server) compactor(c *config.Config) func(context.Context) {
	b := s.archive.newCompactor(c, s.guard)
	b.Share, b.Grace, b.Every, b.Log = compactShare, compactGrace, c.Storage.CompactEvery, s.log.Logger
	b.Rate = int64(c.Storage.CompactRate) * 1_000_000
	m := s.metrics
	m.Counter("gantry_compact_segments_total", "Segments of the store log that were rewritten.", &b.Segments)
	m.Counter("gantry_compact_dropped_total", "Purged objects whose records were left out.", &b.Dropped)
	m.Counter("gantry_compact_moved_total", "Objects that were brought into another layout.", &b.Moved)
	m.Counter("gantry_compact_freed_bytes_total", "Bytes that rewriting segments gave back, those of holes counted.", &b.Freed)
	if compacts(c) {
		return b.Run
	}
	return func(ctx context.Context) {
		if err := b.Finish(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("rewritten segments stay until the next start", "error", err)
		}
	}
}

// compacts reports whether the configuration wants it.
func compacts(c *config.Config) bool { return c.Storage.CompactRate > 0 && c.Storage.CompactEvery > 0 }

// Compact rewrites the segments of a stopped archive that hold purged objects, and with
// storage.migrate those with objects in another layout than is configured.
func Compact(ctx context.Context, c *config.Config, console io.Writer) (_ *compact.Compactor, err error) {
	if _, err := os.Stat(c.Storage.Directory); err != nil {
		return nil, fmt.Errorf("storage folder: %w", err)
	}
	a, log, err := openStopped(ctx, c, console) // what the index has not applied yet comes before the seal
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.seal(ctx); err != nil {
		return nil, err
	}
	b := a.newCompactor(c, &scrub.Guard{Opener: a.store})
	b.Log = log
	return b, b.Round(ctx)
}

// seal ends the last segment with a note behind it, so that it can be rewritten like those
// before it.
func (a *archive) seal(ctx context.Context) error {
	if err := a.store.Seal(); err != nil {
		return err
	}
	now := time.Now().UTC()
	env := record.Envelope{V: record.Version, Kind: record.Note, ID: record.NewID(now), Received: now, Note: []byte(`{"sealed":true}`)}
	stored, err := a.store.Commit(ctx, []blob.Record{{Envelope: env}})
	if err != nil {
		return err
	}
	_, err = a.index.Commit(ctx, []index.Entry{{Envelope: env, Stored: stored[0]}})
	return err
}
