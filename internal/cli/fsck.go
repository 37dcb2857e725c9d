package cli

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gantry/internal/archive/fsck"
	"gantry/internal/server"
)

func newFsck(stdio *Stdio) *cobra.Command {
	var where offlineFlags
	var quick bool
	var format string
	c := command("fsck", "Compare stored objects with the index and with their checksums", &cobra.Command{
		Long: `Compare stored objects with the index, both ways, and read every stored byte again to
compare it with its checksum. Nothing is changed; each finding says what mends it. The
archive must not be running on the folder.`,
		Example: "  gantry fsck\n  gantry fsck --storage-dir /srv/gantry --quick\n  gantry fsck --format json > findings.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return fail(ExitUsage, "--format %q: want text or json", format)
			}
			cfg, err := where.load(stdio.Environ)
			if err != nil {
				return err
			}
			sum, err := server.Check(c.Context(), cfg, stdio.Err, fsck.Options{Quick: quick, Report: reporter(stdio, format), Step: stepper(stdio)})
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
	return c
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
