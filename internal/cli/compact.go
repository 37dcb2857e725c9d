package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"gantry/internal/server"
)

func newCompact(stdio *Stdio) *cobra.Command {
	var where offlineFlags
	var migrate bool
	c := command("compact", "Give back the room of purged objects, or change the layout of a stopped archive", &cobra.Command{
		Long: `Rewrite the segments of a stopped archive's log that hold purged objects, without them. With
--migrate, objects that are stored in another layout than storage.layout and storage.naming
say are brought into this one: from segments into files, or from files into segments. Bytes
of objects are never changed. An archive at work does both by itself, see storage.compact_every
and storage.migrate in the configuration.`,
		Example: `  gantry compact --storage-dir /srv/gantry
  GANTRY_STORAGE_LAYOUT=plain gantry compact --storage-dir /srv/gantry --migrate`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := where.load(stdio.Environ)
			if err != nil {
				return err
			}
			cfg.Storage.Migrate = migrate
			did, err := server.Compact(c.Context(), cfg, stdio.Err)
			if err != nil {
				return fail(ExitFailed, "compact: %w", err)
			}
			fmt.Fprintf(stdio.Out, "%d segments rewritten, %d purged objects left out, %d objects moved\n",
				did.Segments.Load(), did.Dropped.Load(), did.Moved.Load())
			return nil
		},
	})
	where.flags(c)
	c.Flags().BoolVar(&migrate, "migrate", false, "bring objects of another layout into the one that is configured")
	return c
}
