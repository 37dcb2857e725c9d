package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

func newInfo(stdio *Stdio) *cobra.Command {
	var o verb.Info
	c := command("info PATH...", "Summarise DICOM files", &cobra.Command{
		Long:    "Summarise DICOM files: file, patient, study, series, instance and image. Of a folder, the files in it.",
		Example: "  gantry info image.dcm\n  gantry info -r study --format json\n  gantry info --no-file-info a.dcm b.dcm",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if o.Format != "text" && o.Format != "json" {
				return fail(ExitUsage, "--format %q: want text or json", o.Format)
			}
			o.Paths = args
			return o.Run(c.Context(), stdio)
		},
	})
	c.Flags().StringVar(&o.Format, "format", "text", "text or json")
	c.Flags().BoolVarP(&o.Recursive, "recursive", "r", false, "go into folders below")
	c.Flags().BoolVar(&o.NoFileInfo, "no-file-info", false, "leave the section about the file out")
	return c
}
