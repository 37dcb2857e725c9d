package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gantry/dicom/uid"
	"gantry/internal/archive/deletion"
	"gantry/internal/front/adminapi"
	"gantry/internal/server"
	"gantry/internal/vfs"
)

// admin is an archive, at work or not.
type admin interface {
	adminapi.Deletions
	adminapi.Labels
}

// adminFlags find the archive.
type adminFlags struct {
	offlineFlags
	http string
}

func (f *adminFlags) flags(c *cobra.Command) {
	f.offlineFlags.flags(c)
	c.Flags().StringVar(&f.http, "http", "", "host:port of the archive's HTTP side, where it is at work and listens elsewhere than its configuration says")
}

const adminHelp = `An archive at work on the storage folder is asked over HTTP, with the token in the folder;
one that is stopped is opened.`

const deletionHelp = adminHelp + ` The undo window is storage.undo_window of the configuration,
7 days without it, and passes only while the archive runs.`

// open returns the archive's own functions when it is stopped, and those of its HTTP side
// when it holds the folder's lock.
func (f *adminFlags) open(ctx context.Context, stdio *Stdio) (admin, func() error, error) {
	cfg, err := f.load(stdio.Environ)
	if err != nil {
		return nil, nil, err
	}
	d, done, err := server.OpenAdmin(ctx, cfg, stdio.Err)
	if err == nil {
		return d, done, nil
	}
	if !errors.Is(err, vfs.ErrLocked) {
		return nil, nil, fail(ExitFailed, "%w", err)
	}
	addr := cfg.HTTP.Address
	if f.http != "" {
		addr = f.http
	}
	r, err := newRemote(addr, cfg.Storage.Directory)
	if err != nil {
		return nil, nil, fail(ExitFailed, "the archive is at work: %w", err)
	}
	return r, func() error { return nil }, nil
}

// whatFlags name what is deleted.
type whatFlags struct{ patient, issuer, study, series, instance string }

func (f *whatFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.patient, "patient-id", "", "all of this patient")
	c.Flags().StringVar(&f.issuer, "issuer", "", "who issued that patient ID, where several patients have it")
	c.Flags().StringVar(&f.study, "study-uid", "", "this study")
	c.Flags().StringVar(&f.series, "series-uid", "", "this series")
	c.Flags().StringVar(&f.instance, "instance-uid", "", "this instance, all its versions")
}

func (f *whatFlags) what(c *cobra.Command) (deletion.What, error) {
	w := deletion.What{PatientID: f.patient, Study: uid.UID(f.study), Series: uid.UID(f.series), Instance: uid.UID(f.instance)}
	if c.Flags().Changed("issuer") {
		w.Issuer = &f.issuer
	}
	named := 0
	for _, s := range []string{f.patient, f.study, f.series, f.instance} {
		if s != "" {
			named++
		}
	}
	if named != 1 || w.Issuer != nil && f.patient == "" {
		return w, fail(ExitUsage, "want one of --patient-id, --study-uid, --series-uid and --instance-uid; --issuer goes with the first")
	}
	return w, nil
}

func newDelete(stdio *Stdio) *cobra.Command {
	return changing(stdio, "delete", "Delete a patient, a study, a series or an instance; it can be undone for a while", `Delete a patient, a study, a series or an instance. Queries and retrievals no longer see it.
Until the undo window has passed, gantry undelete brings it back, and so does sending it
again; then it is removed for good.`, "deleted", `  gantry delete --study-uid 1.2.3
  gantry delete --patient-id 4711 --storage-dir /srv/gantry
  gantry deleted`, adminapi.Deletions.Delete)
}

func newUndelete(stdio *Stdio) *cobra.Command {
	return changing(stdio, "undelete", "Bring back what was deleted and is not yet final", `Bring back what was deleted and is not yet removed for good. It need not be named as it was
deleted: a series of a deleted study may be brought back alone.`, "brought back", `  gantry undelete --study-uid 1.2.3
  gantry undelete --patient-id 4711 --issuer HOSPITAL`, adminapi.Deletions.Undelete)
}

// changing is delete or undelete.
func changing(stdio *Stdio, use, short, long, did, example string, do func(adminapi.Deletions, context.Context, deletion.What) (deletion.Result, error)) *cobra.Command {
	var where adminFlags
	var named whatFlags
	c := command(use, short, &cobra.Command{
		Long: long + "\n\n" + deletionHelp, Example: example, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			what, err := named.what(c)
			if err != nil {
				return err
			}
			d, done, err := where.open(c.Context(), stdio)
			if err != nil {
				return err
			}
			r, err := do(d, c.Context(), what)
			if err = errors.Join(err, done()); err != nil {
				return fail(ExitFailed, "%s: %w", use, err)
			}
			fmt.Fprintf(stdio.Out, "%d instances %s (%d versions, %d bytes)\n", r.Instances, did, r.Versions, r.Bytes)
			return nil
		},
	})
	named.flags(c)
	where.flags(c)
	return c
}

func newDeleted(stdio *Stdio) *cobra.Command {
	var where adminFlags
	var format string
	c := command("deleted", "List what was deleted and can be brought back", &cobra.Command{
		Long: `List the studies that something was deleted from and can be brought back, the last deletion
first, at most 1,000.

` + deletionHelp,
		Example: "  gantry deleted\n  gantry deleted --format json --storage-dir /srv/gantry",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if format != "text" && format != "json" {
				return fail(ExitUsage, "--format %q: want text or json", format)
			}
			d, done, err := where.open(c.Context(), stdio)
			if err != nil {
				return err
			}
			list, err := d.Deleted(c.Context(), 1000)
			if err = errors.Join(err, done()); err != nil {
				return fail(ExitFailed, "deleted: %w", err)
			}
			return listDeleted(stdio, format, list)
		},
	})
	where.flags(c)
	c.Flags().StringVar(&format, "format", "text", "text, or json: one object a line")
	return c
}

func listDeleted(stdio *Stdio, format string, list []adminapi.Deleted) error {
	if format == "json" {
		out := json.NewEncoder(stdio.Out)
		for _, d := range list {
			if err := out.Encode(d); err != nil {
				return err
			}
		}
		return nil
	}
	out := tabwriter.NewWriter(stdio.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, strings.Join([]string{"STUDY", "INSTANCES", "BYTES", "DELETED", "FINAL FROM"}, "\t"))
	for _, d := range list {
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\t%s\n", d.Study, d.Instances, d.Bytes, d.At.Format(time.DateTime), d.Final.Format(time.DateTime))
	}
	return out.Flush()
}
