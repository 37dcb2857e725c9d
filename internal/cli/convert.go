package cli

import (
	"github.com/spf13/cobra"

	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
	"gantry/internal/config"
)

func newConvert(stdio *Stdio) *cobra.Command {
	var o verb.Convert
	var to string
	c := command("convert FILE OUTPUT", "Write DICOM files in another transfer syntax", &cobra.Command{
		Long: `Write DICOM files in another transfer syntax: images are decoded and encoded. OUTPUT is a
file, or a folder; with --recursive the files of a folder go into a folder, under their
names. A file is written whole or not at all, and one that is there already is left alone.

What is encoded without loss is decoded again and compared before it counts. JPEG Baseline,
JPEG Extended and JPEG-LS Near-lossless lose information: the result is a derived object with
a SOP Instance UID of its own.`,
		Example: `  gantry convert --to JPEGLSLossless image.dcm small.dcm
  gantry convert --to JPEGBaseline8Bit --quality 80 --verify image.dcm lossy.dcm
  gantry convert -r --to ExplicitVRLittleEndian study/ plain/
  gantry convert --list-syntaxes`,
		Args: cobra.MaximumNArgs(2),
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if !o.List {
			if len(args) != 2 {
				return verb.Fail(verb.Usage, "an input and an output are wanted")
			}
			u, ok := config.SyntaxOf(to)
			if !ok {
				u = uid.UID(to)
			}
			o.Input, o.Output, o.Syntax = args[0], args[1], u
		}
		if o.Quality < 1 || o.Near < 1 { // which the verb takes for its defaults
			return verb.Fail(verb.Usage, "--quality and --near begin at 1")
		}
		if verbose, _ := c.Flags().GetBool("verbose"); verbose {
			o.Say = verb.Verbose
		}
		return o.Run(c.Context(), stdio)
	}
	f := c.Flags()
	f.StringVar(&to, "to", "ExplicitVRLittleEndian", "transfer syntax, by UID or keyword")
	f.IntVarP(&o.Quality, "quality", "q", 90, "of lossy JPEG, 1 to 100")
	f.IntVar(&o.Near, "near", 2, "how far a sample of lossy JPEG-LS may be off, 1 to 255")
	f.BoolVarP(&o.Recursive, "recursive", "r", false, "convert the files in a folder and the folders below")
	f.BoolVar(&o.Overwrite, "overwrite", false, "replace files that are there already")
	f.BoolVar(&o.Verify, "verify", false, "decode both files and compare their pixels")
	f.BoolVar(&o.NoProgress, "no-progress", false, "show no progress, even on a terminal")
	f.BoolVar(&o.List, "list-syntaxes", false, "list the transfer syntaxes and what can be done with them")
	f.BoolP("verbose", "v", false, "say what is being done")
	return c
}
