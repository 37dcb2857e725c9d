package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

const selftestHelp = `Run scenarios from one end to the other over real connections: against a peer, or, without
one, against an archive of its own in a folder that is removed afterwards.

It stores made-up objects of patients called GANTRYSELFTEST. DICOM has no way to delete: they
stay on a peer. Do not aim at an archive in clinical use. What a peer does not have is skipped
with the reason; so is C-MOVE, unless --receive names the port at which the peer knows the
--calling title, and TLS without --tls.

A test is chosen by its name, with * at the ends, or by tags: "[tls]", "[a][b]" for both,
"[a],[b]" for either, "~[stress]" for all others.`

func newSelftest(stdio *Stdio) *cobra.Command {
	var o verb.Selftest
	var stop bool
	c := command("selftest [PEER]", "Try an archive from one end to the other", &cobra.Command{
		Long: selftestHelp + "\n\n" + peerHelp,
		Example: `  gantry selftest
  gantry selftest PACS@10.0.0.9:104 -t '[smoke]' -t '[tls]'
  gantry selftest -t '~[stress]' --reporter junit --out results.xml`,
		Args: cobra.MaximumNArgs(1),
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.Target = args[0]
		}
		if stop {
			o.Halt = 1
		}
		return o.Run(c.Context(), stdio)
	}
	peerFlags(c, &o.Peer)
	f := c.Flags()
	f.StringArrayVarP(&o.Specs, "test", "t", nil, "tests to run; may be repeated")
	f.BoolVar(&o.ListTests, "list-tests", false, "list the tests and run none")
	f.BoolVar(&o.ListTags, "list-tags", false, "list the tags and run nothing")
	f.BoolVarP(&o.Success, "success", "s", false, "report what was right too")
	f.StringVarP(&o.Reporter, "reporter", "r", "console", "console, compact, junit or xml")
	f.StringVarP(&o.File, "out", "o", "", "file to report to")
	f.BoolVarP(&o.Durations, "durations", "d", false, "report how long each test took")
	f.BoolVarP(&stop, "abort", "a", false, "stop at the first test that fails")
	f.StringVar(&o.Order, "order", "decl", "decl, lex or rand")
	f.Uint64Var(&o.Seed, "seed", 1, "of the order rand")
	f.IntVar(&o.Receive, "receive", 0, "port at which the peer knows our AE title, for C-MOVE")
	return c
}
