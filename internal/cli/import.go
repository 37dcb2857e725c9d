package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"gantry/internal/archive/ingest"
	"gantry/internal/cli/verb"
	"gantry/internal/server"
	"gantry/internal/vfs"
)

func newImport(stdio *Stdio) *cobra.Command {
	var where offlineFlags
	o := verb.Import{Sources: verb.Sources{Folders: true, Recurse: true}}
	c := command("import FILE...", "Bring files into a stopped archive", &cobra.Command{
		Long: `Bring files into an archive on this machine that is not at work, without the network: files,
folders with all that is below them, DICOMDIRs, ZIP files, and with "-" the names on standard
input, one a line. A folder that holds no archive yet becomes one.

What is true of objects that come by C-STORE is true of these: they are kept bit for bit, are
durable before they are counted, and another object under a known SOP Instance UID is kept
beside the first. What was imported before is not stored twice, so that an import that was
interrupted is just begun again. A file that was cut off is named and left outside, unless
--truncated is given. What is no DICOM file is counted, and named with --verbose.
To an archive at work send files with gantry store.`,
		Example: `  gantry import /mnt/old-archive --storage-dir /srv/gantry
  gantry import study.zip CD/DICOMDIR
  find /data -name '*.dcm' -mtime -7 | gantry import -`,
		Args: cobra.MinimumNArgs(1),
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		o.Inputs = args
		if verbose, _ := c.Flags().GetBool("verbose"); verbose {
			o.Say = verb.Verbose
		}
		if o.Jobs < 1 || o.Jobs > 64 {
			return fail(ExitUsage, "--jobs %d: want 1 to 64", o.Jobs)
		}
		cfg, err := where.load(stdio.Environ)
		if err != nil {
			return err
		}
		err = server.Import(c.Context(), cfg, stdio.Err, func(in *ingest.Ingester) error { return o.Run(c.Context(), stdio, in) })
		var told *verb.Error
		switch {
		case errors.Is(err, vfs.ErrLocked):
			return fail(ExitFailed, "%w: it is at work; send to it with gantry store", err)
		case err != nil && !errors.As(err, &told):
			return fail(ExitFailed, "import: %w", err)
		}
		return err
	}
	where.flags(c)
	f := c.Flags()
	resultFlag(c, &o.Common)
	f.BoolVar(&o.Truncated, "truncated", false, "take files that were cut off, too")
	f.BoolVar(&o.Halt, "stop-on-error", false, "stop at the first file that fails")
	f.BoolP("verbose", "v", false, "say what becomes of each file")
	f.StringVar(&o.Pattern, "scan-pattern", "", "take only files in folders whose names match, such as *.dcm")
	f.IntVarP(&o.Jobs, "jobs", "j", 32, "files at a time")
	f.BoolVarP(&o.Progress, "progress", "p", false, "show progress, even when not on a terminal")
	return c
}
