package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

func newStore(stdio *Stdio) *cobra.Command {
	o := verb.Store{Sources: verb.Sources{Folders: true, Recurse: true}}
	c := command("store PEER FILE...", "Send files to a peer (C-STORE)", &cobra.Command{
		Long: `Send files to a peer (C-STORE): files, folders with all that is below them, DICOMDIRs, ZIP
files, and with "-" the names on standard input, one a line. Each object goes in the transfer
syntax it has; where the peer does not take that, in an uncompressed one. Nothing is compressed
with loss. What is no DICOM file is named and counts as failed.

The report has a line for each object. With --resume what it says was sent is left out.

` + peerHelp,
		Example: `  gantry store localhost:11112 image.dcm
  gantry store MAIN_PACS@10.0.0.9:104 --calling CT1 -j 4 --report sent.txt study/
  find /data -name '*.dcm' | gantry store PACS@pacs.example --tls -`,
		Args: cobra.MinimumNArgs(2),
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		o.Inputs = args[1:]
		if as, _ := c.Flags().GetBool("no-transcode"); as {
			o.Decoding = verb.DecodeNever
		}
		if verbose, _ := c.Flags().GetBool("verbose"); verbose {
			o.Say = verb.Verbose
		}
		return calls(stdio, &o.Peer, o.Run)(c, args)
	}
	peerFlags(c, &o.Peer)
	windowFlag(c, &o.Peer, "objects on their way")
	f := c.Flags()
	resultFlag(c, &o.Common)
	f.BoolVar(&o.Halt, "stop-on-error", false, "stop at the first object that fails")
	f.BoolP("verbose", "v", false, "say what is being done")
	f.StringVar(&o.Pattern, "scan-pattern", "", "take only files in folders whose names match, such as *.dcm")
	f.Bool("no-transcode", false, "what is compressed goes as it is, or fails")
	f.IntVarP(&o.Jobs, "jobs", "j", 1, "associations at a time")
	f.IntVar(&o.Retries, "retries", 3, "how often to try again when the peer is busy or the association breaks")
	f.StringVar(&o.Report, "report", "", "file to report to")
	f.BoolVar(&o.Resume, "resume", false, "leave out what the report says was sent")
	f.BoolVarP(&o.Progress, "progress", "p", false, "show progress, even when not on a terminal")
	return c
}
