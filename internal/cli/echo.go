package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gantry/dicom/uid"
	"gantry/dimse"
)

type echoOptions struct {
	peer   peerOptions
	repeat int
	delay  time.Duration
}

func newEcho(stdio *Stdio) *cobra.Command {
	var o echoOptions
	c := command("echo PEER", "Ask a peer whether it is there (C-ECHO)", &cobra.Command{
		Long:    "Ask a peer whether it is there (C-ECHO).\n\n" + peerHelp,
		Example: "  gantry echo localhost:11112\n  gantry echo MAIN_PACS@10.0.0.9:104 --calling CT1\n  gantry echo PACS@pacs.example:2762 --tls --repeat 10",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.peer.parse(args[0]); err != nil {
				return err
			}
			return echo(c.Context(), stdio, o)
		},
	})
	o.peer.flags(c)
	c.Flags().IntVar(&o.repeat, "repeat", 1, "how often to ask, on one association")
	c.Flags().DurationVar(&o.delay, "delay", 0, "pause between the questions")
	return c
}

func echo(ctx context.Context, stdio *Stdio, o echoOptions) error {
	a, err := o.peer.dial(ctx, []dimse.Context{{Class: uid.Verification}})
	if err != nil {
		return err
	}
	defer a.Abort()
	for i := range o.repeat {
		if i > 0 {
			time.Sleep(o.delay)
		}
		start := time.Now()
		if err := a.Echo(ctx); err != nil {
			return fail(ExitFailed, "C-ECHO to %s at %s: %w", o.peer.called, o.peer.addr, err)
		}
		fmt.Fprintf(stdio.Out, "%s at %s answers, %v\n", o.peer.called, o.peer.addr, time.Since(start).Round(time.Microsecond))
	}
	return release(ctx, a)
}

// release ends an association in order; that this fails is no failure of the work done.
func release(ctx context.Context, a *dimse.Assoc) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	a.Release(ctx)
	return nil
}
