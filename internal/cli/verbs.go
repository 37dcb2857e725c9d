package cli

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Flags lists the flags of every command, subcommands included, by what stands before them:
// "gantry config check" has [["-h", "--help"]].
func Flags() map[string][][]string {
	out := map[string][][]string{}
	flagsOf(newRoot(&Stdio{}), out)
	return out
}

func flagsOf(c *cobra.Command, out map[string][][]string) {
	c.InitDefaultHelpFlag()
	if c.Runnable() && !c.Hidden {
		out[c.CommandPath()] = names(c)
	}
	for _, sub := range c.Commands() {
		flagsOf(sub, out)
	}
}

// names are those of each flag.
func names(c *cobra.Command) [][]string {
	var out [][]string
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		both := []string{"-" + f.Shorthand, "--" + f.Name}
		out = append(out, slices.DeleteFunc(both, func(s string) bool { return s == "-" }))
	})
	return out
}
