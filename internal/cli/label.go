package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gantry/dicom/uid"
	"gantry/internal/archive/label"
)

// labelFlags say what is to be done.
type labelFlags struct {
	study       string
	add, remove []string
	with        string
	format      string
}

func newLabel(stdio *Stdio) *cobra.Command {
	var where adminFlags
	var f labelFlags
	c := command("label", "Put labels on studies, take them off, list them", &cobra.Command{
		Long: `Put labels on a study, take them off, or list the studies that have labels, at most 1,000. A
label has up to 64 letters, digits, hyphens, underscores and dots. Labels are kept in the log of
the archive: they are there again when the index is made anew.

` + adminHelp,
		Example: `  gantry label --study-uid 1.2.3 --add teaching --add follow-up
  gantry label --study-uid 1.2.3 --remove follow-up
  gantry label --with teaching --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.format != "text" && f.format != "json" {
				return fail(ExitUsage, "--format %q: want text or json", f.format)
			}
			changes := len(f.add)+len(f.remove) > 0
			if changes != (f.study != "") || changes && f.with != "" {
				return fail(ExitUsage, "want --study-uid with --add or --remove, or --with alone, or none of them")
			}
			a, done, err := where.open(c.Context(), stdio)
			if err != nil {
				return err
			}
			list, err := f.do(c.Context(), a)
			if err = errors.Join(err, done()); err != nil {
				return fail(ExitFailed, "label: %w", err)
			}
			return listLabels(stdio, f.format, list)
		},
	})
	where.flags(c)
	c.Flags().StringVar(&f.study, "study-uid", "", "the study")
	c.Flags().StringArrayVar(&f.add, "add", nil, "label to put on it; may be repeated")
	c.Flags().StringArrayVar(&f.remove, "remove", nil, "label to take off; may be repeated")
	c.Flags().StringVar(&f.with, "with", "", "list only studies with this label")
	c.Flags().StringVar(&f.format, "format", "text", "text, or json: one object a line")
	return c
}

func (f *labelFlags) do(ctx context.Context, a admin) ([]label.Study, error) {
	if f.study == "" {
		return a.List(ctx, f.with, 1000)
	}
	st, err := a.Change(ctx, uid.UID(f.study), f.add, f.remove)
	return []label.Study{st}, err
}

func listLabels(stdio *Stdio, format string, list []label.Study) error {
	out := json.NewEncoder(stdio.Out)
	for _, st := range list {
		if format == "json" {
			if err := out.Encode(st); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(stdio.Out, "%s  %s\n", st.UID, strings.Join(st.Labels, " "))
	}
	return nil
}
