package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"gantry/internal/archive/ingest"
	"gantry/internal/config"
	"gantry/internal/obs"
)

// Import opens an archive that is not at work, a new one if none is there, and lets work
// bring objects in.
func Import(ctx context.Context, c *config.Config, console io.Writer, work func(*ingest.Ingester) error) error {
	a, _, err := openStopped(ctx, c, console)
	if err != nil {
		return err
	}
	err = work(a.ingest)
	if cerr := a.close(); cerr != nil { // which says more than that something failed before
		return fmt.Errorf("archive %s: %w", c.Storage.Directory, cerr)
	}
	return err
}

// openStopped opens an archive that is not at work as the server would, its log on console.
func openStopped(ctx context.Context, c *config.Config, console io.Writer) (*archive, *slog.Logger, error) {
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
	return a, log.Logger, nil
}
