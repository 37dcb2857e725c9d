package cli

import (
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"gantry/internal/config"
)

func newConfig(stdio *Stdio) *cobra.Command {
	c := command("config", "Check, explain or start a configuration file", &cobra.Command{
		Example: "  gantry config init gantry.yaml\n  gantry config check gantry.yaml\n  gantry config explain gantry.yaml",
	})
	c.AddCommand(newConfigCheck(stdio), newConfigExplain(stdio), newConfigInit(stdio))
	return c
}

func newConfigCheck(stdio *Stdio) *cobra.Command {
	return command("check FILE", "Check a configuration file and print every error in it", &cobra.Command{
		Example: "  gantry config check gantry.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l := config.NewLoader()
			l.File(args[0])
			l.Environment(stdio.Environ)
			if _, err := l.Done(); err != nil {
				return fail(ExitUsage, "%w", err)
			}
			fmt.Fprintf(stdio.Out, "%s: no errors\n", args[0])
			return nil
		},
	})
}

func newConfigExplain(stdio *Stdio) *cobra.Command {
	return command("explain [FILE]", "Print every key, its value, where that comes from and what it means", &cobra.Command{
		Example: "  gantry config explain\n  gantry config explain gantry.yaml | less",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l := config.NewLoader()
			if len(args) == 1 {
				l.File(args[0])
			}
			l.Environment(stdio.Environ)
			_, err := l.Done()
			l.Explain(stdio.Out)
			if err != nil {
				return fail(ExitUsage, "%w", err)
			}
			return nil
		},
	})
}

func newConfigInit(stdio *Stdio) *cobra.Command {
	return command("init [FILE]", "Write a configuration file with every key at its default", &cobra.Command{
		Example: "  gantry config init gantry.yaml\n  gantry config init > gantry.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				config.Sample(stdio.Out)
				return nil
			}
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(0o600))
			if err != nil {
				return fail(ExitFailed, "%w", err)
			}
			config.Sample(f)
			return f.Close()
		},
	})
}
