package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

func newDB(stdio *Stdio) *cobra.Command {
	o := verb.Browse{Database: "gantry-data"}
	var all bool
	c := command("db COMMAND", "Look into the index of an archive, which may be at work", &cobra.Command{
		Long: "Look into the index of an archive, which may be at work. COMMAND is one of " + strings.Join(verb.BrowseCommands(), ", ") + `.
verify looks whether the files that the index names are there; gantry fsck reads them too.`,
		Example: "  gantry db stats\n  gantry db studies --from 20260101 --modality CT\n  gantry db verify --database /srv/gantry",
		Args:    cobra.ExactArgs(1), ValidArgs: verb.BrowseCommands(),
		RunE: func(c *cobra.Command, args []string) error {
			o.Command = args[0]
			if all {
				o.Say = verb.Verbose
			}
			return o.Run(c.Context(), stdio)
		},
	})
	f := c.Flags()
	f.StringVar(&o.Database, "database", o.Database, "storage folder, or index file")
	f.StringVar(&o.PatientID, "patient-id", "", "of this patient")
	f.StringVar(&o.PatientName, "patient-name", "", "of patients of this name, * and ? allowed")
	f.StringVar(&o.Study, "study-uid", "", "of this study")
	f.StringVar(&o.Series, "series-uid", "", "of this series")
	f.StringVar(&o.Modality, "modality", "", "of this modality")
	f.StringVar(&o.From, "from", "", "of studies from this day on, YYYYMMDD")
	f.StringVar(&o.To, "to", "", "of studies up to this day, YYYYMMDD")
	f.StringVar(&o.Format, "format", "table", "table, csv or json")
	f.IntVar(&o.Limit, "limit", 50, "most rows")
	f.IntVar(&o.Offset, "offset", 0, "rows to leave out first")
	f.BoolVarP(&all, "verbose", "v", false, "verify: name every missing file")
	return c
}
