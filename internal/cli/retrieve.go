package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

func newMove(stdio *Stdio) *cobra.Command {
	o := &verb.Retrieve{ByMove: true, Progress: true}
	c := command("move PEER", "Have a peer send objects to another (C-MOVE)", &cobra.Command{
		Long: `Have a peer send objects to another application entity, which it must know (C-MOVE). With
--receive the objects are received on a port of this machine: the peer must know the
destination by its address. When the association breaks, what is missing is asked for again,
if that can be told: with --receive by the folder, with --have by asking the destination.

` + peerHelp + "\n\n" + keyHelp,
		Example: `  gantry move localhost:11112 --dest WORKSTATION -k StudyInstanceUID=1.2.3
  gantry move PACS@10.0.0.9:104 --dest GANTRY --receive 11113 --dir in -k StudyInstanceUID=1.2.3
  gantry move PACS@10.0.0.9 --dest STORE --have STORE@10.0.0.7 --resume -k StudyInstanceUID=1.2.3
  gantry move localhost --dest CT1 --model patient -L PATIENT -k PatientID=4711`,
		Args: cobra.ExactArgs(1),
		RunE: calls(stdio, &o.Peer, o.Run),
	})
	peerFlags(c, &o.Peer)
	queryFlags(c, &o.Query)
	c.Flags().StringVar(&o.Dest, "dest", "", "AE title to send to (required)")
	c.Flags().IntVar(&o.Receive, "receive", 0, "port to receive the objects on; 0 for none")
	folderFlags(c, &o.Folder)
	mediaFlags(c, o)
	resumeFlags(c, o)
	c.Flags().StringVar(&o.Have, "have", "", "AE@host:port where the destination answers queries: only what it has not is moved")
	c.MarkFlagRequired("dest")
	return c
}

func newGet(stdio *Stdio) *cobra.Command {
	o := &verb.Retrieve{Progress: true}
	c := command("get PEER", "Fetch objects from a peer (C-GET)", &cobra.Command{
		Long: `Fetch objects from a peer on the same association (C-GET). Each is written as the peer sends
it to a file named by its SOP Instance UID. A file that is there already is kept. When the
association breaks, what is missing is asked for again; --resume begins like that.

` + peerHelp + "\n\n" + keyHelp,
		Example: `  gantry get localhost:11112 -k StudyInstanceUID=1.2.3 --dir study
  gantry get PACS@10.0.0.9:104 -L SERIES -k StudyInstanceUID=1.2.3 -k SeriesInstanceUID=1.2.3.4
  gantry get localhost:11112 -k StudyInstanceUID=1.2.3 --dir study --resume
  gantry get localhost --model patient -L PATIENT -k PatientID=4711 --dir patient`,
		Args: cobra.ExactArgs(1),
		RunE: calls(stdio, &o.Peer, o.Run),
	})
	peerFlags(c, &o.Peer)
	windowFlag(c, &o.Peer, "objects on their way")
	queryFlags(c, &o.Query)
	folderFlags(c, &o.Folder)
	mediaFlags(c, o)
	resumeFlags(c, o)
	return c
}

func resumeFlags(c *cobra.Command, o *verb.Retrieve) {
	resultFlag(c, &o.Common)
	c.Flags().BoolVar(&o.Resume, "resume", false, "ask only for what is not there yet; the peer must answer queries")
	c.Flags().IntVar(&o.Retries, "retries", 3, "how often to go on, as --resume does, after a broken association")
}

func mediaFlags(c *cobra.Command, o *verb.Retrieve) {
	c.Flags().BoolVar(&o.Folder.ISO9660, "iso-9660", false, "names that media take, IM000001 and so on, for the namings flat and tree")
	c.Flags().BoolVar(&o.Media.Directory, "dicomdir", false, "write a DICOMDIR of what was received; wants --iso-9660")
}

func folderFlags(c *cobra.Command, o *verb.Folder) {
	c.Flags().StringVar(&o.Dir, "dir", ".", "folder to write to")
	c.Flags().Var((*naming)(&o.Naming), "naming", "names of files: flat, hierarchical (study/series), date (of the study), tree (names of patient, study and series) or viewer (month/datetime_accession)")
	c.Flags().Var((*overwrite)(&o.Twice), "overwrite", "replace files that are there already")
	c.Flags().Lookup("overwrite").NoOptDefVal = "true"
}
