package server

import (
	"context"
	"errors"
	"fmt"
	"os"

	"gantry/internal/archive/backup"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/config"
)

// Backup copies an archive, which may be at work, to another folder.
func Backup(ctx context.Context, c *config.Config, to string, step func(files int, bytes int64)) (backup.Summary, error) {
	if _, err := os.Stat(c.Storage.Directory); err != nil {
		return backup.Summary{}, fmt.Errorf("storage folder: %w", err)
	}
	a := &archive{dir: c.Storage.Directory}
	if err := a.openIndex(ctx, c); err != nil {
		return backup.Summary{}, err
	}
	open := func(ctx context.Context, name string) (backup.Copy, error) {
		return sqlite.Open(ctx, name, sqlite.Options{})
	}
	sum, err := backup.Run(ctx, a.index, backup.Options{From: a.dir, To: to, Open: open, Step: step})
	return sum, errors.Join(err, a.close())
}
