package sqlite

import (
	"context"
	"fmt"
)

// Schema returns the version of the schema.
func (x *Index) Schema(ctx context.Context) (int, error) {
	var n int
	err := x.rdb.QueryRowContext(ctx, "PRAGMA user_version").Scan(&n)
	return n, err
}

// Objects returns the folder of the objects where that is not the index file's own; empty
// when it is.
func (x *Index) Objects(ctx context.Context) (string, error) {
	var dir string
	err := x.rdb.QueryRowContext(ctx, "SELECT objects FROM state").Scan(&dir)
	return dir, err
}

// SetObjects notes the folder of the objects, for tools that are given the index alone.
func (x *Index) SetObjects(ctx context.Context, dir string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, err := x.w.ExecContext(ctx, "UPDATE state SET objects = ? WHERE objects <> ?", dir, dir)
	return err
}

// Size returns the bytes of the file, the write-ahead log left out.
func (x *Index) Size(ctx context.Context) (int64, error) {
	var pages, size int64
	if err := x.rdb.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return 0, err
	}
	err := x.rdb.QueryRowContext(ctx, "PRAGMA page_size").Scan(&size)
	return pages * size, err
}

// Vacuum rewrites the file without what was deleted. It waits for an archive at work, and
// the archive for it; it fails when that takes too long.
func (x *Index) Vacuum(ctx context.Context) error { return x.maintain(ctx, "VACUUM") }

// Analyze gathers the statistics that queries are planned by.
func (x *Index) Analyze(ctx context.Context) error { return x.maintain(ctx, "ANALYZE") }

// Checkpoint writes the write-ahead log back into the file. It returns an error when
// readers kept a part of it from being written.
func (x *Index) Checkpoint(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var busy, pages, done int
	if err := x.w.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done); err != nil {
		return err
	}
	if busy != 0 {
		return fmt.Errorf("%d of %d pages were written back: readers hold the rest", done, pages)
	}
	return nil
}

func (x *Index) maintain(ctx context.Context, sql string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, err := x.w.ExecContext(ctx, sql)
	return err
}
