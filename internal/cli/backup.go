package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"gantry/internal/archive/fsck"
	"gantry/internal/config"
	"gantry/internal/server"
)

func newBackup(stdio *Stdio) *cobra.Command {
	var where offlineFlags
	c := command("backup DIR", "Copy the archive to another folder, also while it runs", &cobra.Command{
		Long: `Copy the archive to another folder, also while it runs. The copy is a consistent point: all
that was acknowledged before it began. A second backup to the same folder copies what is
new. A backup is an archive: check it with gantry fsck --storage-dir DIR, and serve it as it
is. What was deleted for good after an earlier backup stays in that one.`,
		Example: "  gantry backup /mnt/backup/gantry\n  gantry backup /mnt/backup/gantry --storage-dir /srv/gantry\n  gantry fsck --storage-dir /mnt/backup/gantry",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := where.load(stdio.Environ)
			if err != nil {
				return err
			}
			return runBackup(c.Context(), stdio, cfg, args[0])
		},
	})
	where.flags(c)
	return c
}

func runBackup(ctx context.Context, stdio *Stdio, cfg *config.Config, to string) error {
	step := stepper(stdio)
	sum, err := server.Backup(ctx, cfg, to, step)
	if err != nil {
		return fail(ExitFailed, "backup: %w", err)
	}
	fmt.Fprintf(stdio.Out, "%d studies, %d instances; %d files and %d bytes copied, %d files kept\n",
		sum.State.Studies, sum.State.Instance, sum.Copied, sum.Bytes, sum.Kept)
	return nil
}

func newRestore(stdio *Stdio) *cobra.Command {
	return command("restore BACKUP DIR", "Make an archive from a backup, and check every byte of it", &cobra.Command{
		Long: `Make an archive from a backup in a new folder, and check every byte of it against its
checksum. The backup is left as it is.`,
		Example: "  gantry restore /mnt/backup/gantry /srv/gantry\n  gantry serve --storage-dir /srv/gantry",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := os.Stat(args[1]); !errors.Is(err, fs.ErrNotExist) {
				return fail(ExitUsage, "%s exists: name a folder that does not", args[1])
			}
			cfg := config.Default()
			cfg.Storage.Directory = args[0]
			if err := runBackup(c.Context(), stdio, cfg, args[1]); err != nil {
				return err
			}
			cfg.Storage.Directory = args[1]
			sum, err := server.Check(c.Context(), cfg, stdio.Err, fsck.Options{Report: reporter(stdio, "text"), Step: stepper(stdio)})
			if err != nil {
				return fail(ExitFailed, "restore: %w", err)
			}
			fmt.Fprintf(stdio.Out, "%d objects checked, %d findings\n", sum.Objects, sum.Findings)
			if sum.Findings > 0 {
				return failQuietly(ExitFailed)
			}
			return nil
		},
	})
}
