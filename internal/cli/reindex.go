package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"gantry/internal/config"
	"gantry/internal/server"
)

func newReindex(stdio *Stdio) *cobra.Command {
	var where offlineFlags
	c := command("reindex", "Make the index again from the stored objects", &cobra.Command{
		Long: `Make the index again from the object store alone. The archive must not be running on the
folder. Queries after it have the answers they had before.`,
		Example: "  gantry reindex\n  gantry reindex --storage-dir /srv/gantry\n  gantry reindex --config gantry.yaml",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := where.load(stdio.Environ)
			if err != nil {
				return err
			}
			return reindex(c.Context(), stdio, cfg)
		},
	})
	where.flags(c)
	return c
}

func reindex(ctx context.Context, stdio *Stdio, cfg *config.Config) error {
	st, err := server.Reindex(ctx, cfg, stdio.Err)
	if err != nil {
		return fail(ExitFailed, "reindex: %w", err)
	}
	fmt.Fprintf(stdio.Out, "%d patients, %d studies, %d series, %d instances\n", st.Patients, st.Studies, st.Series, st.Instance)
	if st.Quarantined > 0 {
		fmt.Fprintf(stdio.Err, "gantry: %d records could not be indexed and are quarantined\n", st.Quarantined)
		return failQuietly(ExitFailed)
	}
	return nil
}
