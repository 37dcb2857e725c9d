package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gantry/internal/archive/ingest"
	"gantry/internal/archive/synth"
	"gantry/internal/config"
	"gantry/internal/obs"
	"gantry/internal/vfs"
)

// What is made to learn what a plan takes: so many instances, in one segment of the log.
const (
	sampled      = 5000
	sampledBytes = 128 << 20
)

// Synth fills a new archive by a plan. Before, it makes a small one beside it, tells how
// much the whole will take, and refuses when less than one and a half times that is free.
// Step is told how many instances are durable.
func Synth(ctx context.Context, c *config.Config, p *synth.Plan, console io.Writer, announce func(synth.Size), step func(int64)) error {
	if err := p.Check(); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Storage.Directory, 0o700); err != nil {
		return fmt.Errorf("storage folder: %w", err)
	}
	size, err := sizeOf(ctx, c, p, console)
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	announce(size)
	space, err := vfs.OS{}.Space(c.Storage.Directory)
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	if need := size.Total() + size.Total()/2; space.Free < need {
		return fmt.Errorf("%s has %d bytes free, want %d: half as much again as the archive takes", c.Storage.Directory, space.Free, need)
	}
	_, err = fill(ctx, c, p, console, step)
	return err
}

// sizeOf makes the first instances of a plan in a folder of their own and removes it.
func sizeOf(ctx context.Context, c *config.Config, p *synth.Plan, console io.Writer) (size synth.Size, err error) {
	dir, err := os.MkdirTemp(c.Storage.Directory, "sample-")
	if err != nil {
		return size, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	part, beside := *p, *c
	part.Instances = min(p.Instances, sampled, sampledBytes/(int64(p.Pixels)+4096))
	beside.Storage.Directory, beside.Database.Path = dir, ""
	if size, err = fill(ctx, &beside, &part, console, func(int64) {}); err != nil {
		return size, err
	}
	return size.Scaled(part.Instances, p.Instances), nil
}

// fill returns how much it made.
func fill(ctx context.Context, c *config.Config, p *synth.Plan, console io.Writer, step func(int64)) (size synth.Size, err error) {
	log, err := obs.NewLog(console, "", c.Logging.Level)
	if err != nil {
		return size, err
	}
	a, err := openArchive(ctx, c, log.Logger, ingest.Options{Log: log.Logger})
	if err != nil {
		return size, err
	}
	if err = synth.Fill(ctx, p, a.store, a.index, step); err == nil { // which is no news
		err = a.index.SetTold(ctx, "", a.index.Feed(), a.index.Feed())
	}
	if err == nil && !p.IndexOnly {
		size, err = a.size(ctx)
	}
	if err = errors.Join(err, a.close()); err != nil {
		return size, err
	}
	db := c.Database.Path
	if db == "" {
		db = filepath.Join(a.dir, "index.db")
	}
	st, err := os.Stat(db)
	if err == nil {
		size.Index = st.Size()
	}
	return size, err
}

// size is what the objects take, wherever they lie; the index is measured when it is
// closed.
func (a *archive) size(ctx context.Context) (synth.Size, error) {
	st, err := a.index.State(ctx)
	return synth.Size{Log: max(st.Applied.Offset, st.Bytes)}, err
}
