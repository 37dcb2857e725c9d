package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gantry/internal/archive/fsck"
	"gantry/internal/config"
	"gantry/internal/server"
)

func newFsck(stdio *Stdio) *cobra.Command {
	var where offlineFlags
	var quick, mend, yes bool
	var format, from string
	c := command("fsck", "Compare stored objects with the index and with their checksums", &cobra.Command{
		Long: `Compare stored objects with the index, both ways, and read every stored byte again to
compare it with its checksum. Nothing is changed; each finding says what mends it. The
archive must not be running on the folder.

With --repair a plan follows, and with --yes it is carried out: the index is made again where
it differs from the log, damaged objects are mended from another version or a backup that has
their bytes, files that no record names are removed. Then all is checked again.`,
		Example: `  gantry fsck
  gantry fsck --storage-dir /srv/gantry --quick
  gantry fsck --format json > findings.jsonl
  gantry fsck --repair --from /mnt/backup/gantry --yes`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return fail(ExitUsage, "--format %q: want text or json", format)
			}
			cfg, err := where.load(stdio.Environ)
			if err != nil {
				return err
			}
			if !mend && (yes || from != "") {
				return fail(ExitUsage, "--yes and --from go with --repair")
			}
			if from != "" {
				cfg.Storage.RepairFrom = from
			}
			var found []fsck.Finding
			report := reporter(stdio, format)
			look := fsck.Options{Quick: quick, Report: func(f fsck.Finding) { report(f); found = append(found, f) }, Step: stepper(stdio)}
			sum, err := server.Check(c.Context(), cfg, stdio.Err, look)
			if err == nil && mend && len(found) > 0 {
				sum, err = repair(c.Context(), stdio, cfg, server.PlanOf(found), yes, look, sum)
			}
			if err != nil {
				return fail(ExitFailed, "fsck: %w", err)
			}
			fmt.Fprintf(stdio.Err, "%d objects, %d bytes read, %d instances in the index, %d findings\n", sum.Objects, sum.Bytes, sum.Indexed, sum.Findings)
			if sum.Findings > 0 {
				return failQuietly(ExitFailed)
			}
			return nil
		},
	})
	where.flags(c)
	c.Flags().BoolVar(&quick, "quick", false, "leave the objects' bytes unread")
	c.Flags().StringVar(&format, "format", "text", "text, or json: one object a line")
	c.Flags().BoolVar(&mend, "repair", false, "print what would be done about the findings")
	c.Flags().BoolVar(&yes, "yes", false, "and do it")
	c.Flags().StringVar(&from, "from", "", "folder of a backup to mend damaged objects from; storage.repair_from of the configuration without it")
	return c
}

// repair prints the plan, carries it out when that is wanted, and checks again.
func repair(ctx context.Context, stdio *Stdio, cfg *config.Config, plan *server.Repair, yes bool, look fsck.Options, sum fsck.Summary) (fsck.Summary, error) {
	plan.Print(stdio.Err, cfg.Storage.RepairFrom)
	if !yes {
		fmt.Fprintln(stdio.Err, "nothing was changed; --yes carries the plan out")
		return sum, nil
	}
	if err := plan.Run(ctx, cfg, stdio.Err); err != nil {
		return sum, err
	}
	fmt.Fprintln(stdio.Err, "repaired what could be; what is left:")
	return server.Check(ctx, cfg, stdio.Err, look)
}

func reporter(stdio *Stdio, format string) func(fsck.Finding) {
	if format == "json" {
		out := json.NewEncoder(stdio.Out)
		return func(f fsck.Finding) { out.Encode(f) }
	}
	return func(f fsck.Finding) {
		fmt.Fprintf(stdio.Out, "%s: instance %s, record %s, log %s", f.Kind, f.Instance, f.Record, f.Where)
		if f.Ref != "" {
			fmt.Fprintf(stdio.Out, ", at %s", f.Ref)
		}
		if f.Reason != "" {
			fmt.Fprintf(stdio.Out, ": %s", f.Reason)
		}
		fmt.Fprintf(stdio.Out, "; to mend it: %s\n", f.Mend)
	}
}

// stepper tells every ten seconds how far the check is.
func stepper(stdio *Stdio) func(int, int64) {
	last := time.Now()
	return func(objects int, bytes int64) {
		if time.Since(last) < 10*time.Second {
			return
		}
		last = time.Now()
		fmt.Fprintf(stdio.Err, "%d objects, %d bytes so far\n", objects, bytes)
	}
}
