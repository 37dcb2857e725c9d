package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gantry/internal/archive/deletion"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/label"
	"gantry/internal/config"
	"gantry/internal/front/adminapi"
	"gantry/internal/obs"
	"gantry/internal/vfs"
)

// Deletions deletes from an archive, undoes and lists, over HTTP or at the command line.
type Deletions struct {
	index  *sqlite.Index
	ingest *ingest.Ingester
	window time.Duration
	log    *slog.Logger
}

var _ adminapi.Deletions = (*Deletions)(nil)

func (a *archive) deletions(c *config.Config, log *slog.Logger) *Deletions {
	return &Deletions{a.index, a.ingest, c.Storage.UndoWindow, log}
}

// Delete implements adminapi.Deletions.
func (d *Deletions) Delete(ctx context.Context, w deletion.What) (deletion.Result, error) {
	r, err := deletion.Delete(ctx, d.ingest, d.index, w)
	d.tell("deleted", &w, r, err)
	return r, err
}

// Undelete implements adminapi.Deletions.
func (d *Deletions) Undelete(ctx context.Context, w deletion.What) (deletion.Result, error) {
	r, err := deletion.Undelete(ctx, d.ingest, d.index, w)
	d.tell("deletion undone", &w, r, err)
	return r, err
}

// tell logs what was done. The level is named, not the patient.
func (d *Deletions) tell(did string, w *deletion.What, r deletion.Result, err error) {
	if err != nil {
		d.log.Warn("not "+did+", or in part", "level", w.Level(), "instances", r.Instances, "error", err)
		return
	}
	d.log.Info(did, "level", w.Level(), "instances", r.Instances, "versions", r.Versions, "bytes", r.Bytes)
}

// Deleted implements adminapi.Deletions.
func (d *Deletions) Deleted(ctx context.Context, limit int) ([]adminapi.Deleted, error) {
	list, err := d.index.Deleted(ctx, limit)
	out := make([]adminapi.Deleted, len(list))
	now := time.Now().UTC().Truncate(time.Second)
	for i, l := range list {
		out[i] = adminapi.Deleted{Study: string(l.Study), Instances: l.Instances, Versions: l.Versions, Bytes: l.Bytes,
			At: l.At, Final: now.Add(max(0, d.window-l.Ran))}
	}
	return out, err
}

// Admin is what an administrator does to an archive, over HTTP or at the command line.
type Admin struct {
	*Deletions
	*label.Labels
}

func (a *archive) labels() *label.Labels { return &label.Labels{In: a.ingest, Index: a.index} }

// OpenAdmin opens a stopped archive. One that is at work has its folder locked:
// vfs.ErrLocked.
func OpenAdmin(ctx context.Context, c *config.Config, console io.Writer) (*Admin, func() error, error) {
	if err := stopped(c.Storage.Directory); err != nil {
		return nil, nil, err
	}
	log, err := obs.NewLog(console, "", c.Logging.Level)
	if err != nil {
		return nil, nil, err
	}
	s := &Server{log: log}
	s.peers.Store(newPeerTable(ctx, c))
	a, err := openArchive(ctx, c, log.Logger, s.ingestOptions(c))
	if err != nil {
		return nil, nil, fmt.Errorf("archive %s: %w", c.Storage.Directory, err)
	}
	return &Admin{a.deletions(c, log.Logger), a.labels()}, a.close, nil
}

// stopped returns an error where there is no archive, or one at work.
func stopped(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "log")); err != nil {
		return fmt.Errorf("no archive in %s: %w; name its folder with --storage-dir", dir, err)
	}
	lock, err := vfs.OS{}.Lock(filepath.Join(dir, "LOCK"))
	if err != nil {
		return fmt.Errorf("archive %s: %w", dir, err)
	}
	return lock.Close()
}

// newPurger makes what was deleted final when its undo window has passed.
func (s *Server) newPurger(c *config.Config) *deletion.Purger {
	p := &deletion.Purger{In: s.archive.ingest, Index: s.archive.index, Window: c.Storage.UndoWindow, Now: time.Now, Log: s.log.Logger}
	s.metrics.Gauge("gantry_deleted_versions", "Deleted objects whose deletion can be undone.", func() int64 {
		n, err := s.archive.index.Waiting(context.Background())
		if err != nil {
			return -1
		}
		return n
	})
	s.metrics.Counter("gantry_purged_versions_total", "Deleted objects that were purged.", &p.Purged)
	return p
}
