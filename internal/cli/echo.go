package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

func newEcho(stdio *Stdio) *cobra.Command {
	var o verb.Echo
	c := command("echo PEER", "Ask a peer whether it is there (C-ECHO)", &cobra.Command{
		Long:    "Ask a peer whether it is there (C-ECHO).\n\n" + peerHelp,
		Example: "  gantry echo localhost:11112\n  gantry echo MAIN_PACS@10.0.0.9:104 --calling CT1\n  gantry echo PACS@pacs.example:2762 --tls --repeat 10",
		Args:    cobra.ExactArgs(1),
		RunE:    calls(stdio, &o.Peer, o.Run),
	})
	peerFlags(c, &o.Peer)
	resultFlag(c, &o.Common)
	c.Flags().IntVar(&o.Repeat, "repeat", 1, "how often to ask, on one association")
	c.Flags().DurationVar(&o.Delay, "delay", 0, "pause between the questions")
	return c
}
