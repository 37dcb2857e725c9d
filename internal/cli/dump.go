package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

func newDump(stdio *Stdio) *cobra.Command {
	var o verb.Dump
	c := command("dump FILE...", "Print DICOM files as text, JSON or XML", &cobra.Command{
		Long: `Print DICOM files as text, in the form of dcmdump, or by the DICOM JSON Model or the
Native DICOM Model. Long values are shortened in text, which is UTF-8. Files of any size take
the same little memory. "-" is standard input.

A file that cannot be read to its end is printed as far as it goes and counts as failed.`,
		Example: `  gantry dump image.dcm
  gantry dump --tag PatientName --tag 0020,000d -r /data/study
  gantry dump --format json --no-pixel image.dcm
  curl -s https://pacs/wado?... | gantry dump --long -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Paths = args
			return o.Run(c.Context(), stdio)
		},
	})
	f := c.Flags()
	f.StringVar(&o.Format, "format", "text", "text, json or xml")
	f.BoolVarP(&o.Recursive, "recursive", "r", false, "print all files in folders and the folders below")
	f.BoolVarP(&o.Print.Long, "long", "l", false, "print long values whole")
	f.StringArrayVarP(&o.Tags, "tag", "t", nil, "print only this element, by keyword or gggg,eeee; may be repeated")
	f.StringVarP(&o.Search, "search", "s", "", "print only elements with this in their keyword or name")
	f.IntVarP(&o.Print.Depth, "depth", "d", 0, "print only so many levels of sequences in text; 0 is all")
	f.BoolVar(&o.Print.NoMeta, "no-meta", false, "leave the file meta information out")
	f.BoolVar(&o.NoPixel, "no-pixel", false, "leave the pixel data out")
	f.BoolVar(&o.HidePrivate, "no-private", false, "leave private elements out")
	f.BoolVar(&o.PixelInfo, "pixel-info", false, "print what describes the pixel data only")
	f.BoolVar(&o.Summary, "summary", false, "count files, modalities and SOP classes only")
	f.StringVar(&o.Charset, "charset", "UTF-8", "encode text or XML in this character set")
	f.BoolVar(&o.Print.Compatible, "dcmdump", false, "print values and names exactly as dcmdump does")
	f.BoolVar(&o.Flaws, "flaws", false, "report deviations from the standard on standard error")
	return c
}
