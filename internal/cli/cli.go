// Package cli is the command line: one table of commands, one file for each, every one a
// function of its options that returns an exit code.
package cli

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"gantry/internal/cli/compat"
	"gantry/internal/cli/verb"
)

// Exit codes of the modern verbs. Programs under other names keep the codes they are
// known for.
const (
	ExitOK      = 0 // all that was asked for was done
	ExitFailed  = 1 // some or all of it failed, or nothing was found
	ExitUsage   = 2 // the command line or the configuration is wrong
	ExitConnect = 3 // no association with the peer
)

const exitHelp = `Exit codes:
  0  done
  1  failed, in part or as a whole, or nothing found
  2  wrong arguments or configuration
  3  no association with the peer`

// Stdio is what a command talks to.
type Stdio = verb.Stdio

// System is the process's own.
func System() Stdio {
	return Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ()}
}

// Main runs a command line and returns its exit code. The program's own name chooses the
// command when it is the name of one: see links.
func Main(args []string, stdio Stdio) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Run(ctx, args, stdio)
}

// Run is Main without the process: ctx stands for the signals that end it.
func Run(ctx context.Context, args []string, stdio Stdio) int {
	if p, rest, ok := compat.Resolve(args); ok {
		return p.Main(ctx, rest, &stdio)
	}
	root := newRoot(&stdio)
	root.SetArgs(arguments(args))
	root.SetIn(stdio.In)
	root.SetErr(stdio.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	say(&stdio, err)
	return exitCode(err)
}

// arguments are those of the verb, which a link's name stands for.
func arguments(args []string) []string {
	if len(args) == 0 {
		return nil
	}
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	if verb, ok := verbOf(name); ok {
		return append([]string{verb}, args[1:]...)
	}
	return args[1:]
}

func newRoot(stdio *Stdio) *cobra.Command {
	root := &cobra.Command{
		Use:   "gantry",
		Short: "Medical imaging archive (PACS) and DICOM toolkit",
		Long: `Gantry keeps medical images, finds them and gives them back: an archive that speaks
DICOM, and the tools to talk to any other.

` + exitHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fail(ExitUsage, "%v; see %s --help", err, c.CommandPath())
	})
	for _, c := range commands {
		root.AddCommand(c(stdio))
	}
	root.SetOut(stdio.Out) // which completion takes when it is made
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.HasSubCommands() {
			c.Args, c.RunE = cobra.NoArgs, printHelp
		}
	}
	return root
}

// printHelp is what a command does that only has others below it: any name but theirs is wrong.
func printHelp(c *cobra.Command, _ []string) error { return c.Help() }

// commands is the table.
var commands = [...]func(*Stdio) *cobra.Command{
	newServe,
	newEcho,
	newStore,
	newBench,
	newSelftest,
	newFind,
	newMove,
	newGet,
	newDump,
	newConvert,
	newConfig,
	newLinks,
	newMan,
	newReindex,
	newExtract,
	newImage,
	newInfo,
	newDB,
	newFsck,
	newBackup,
	newImport,
	newSynth,
	newCompact,
	newRestore,
	newDelete,
	newUndelete,
	newDeleted,
	newLabel,
	newCert,
	newVersion,
}

// command fills in what all commands share.
func command(use, short string, c *cobra.Command) *cobra.Command {
	c.Use, c.Short = use, short
	c.Example = strings.TrimRight(c.Example, "\n")
	if c.Long == "" {
		c.Long = short + "."
	}
	c.Long += "\n\n" + exitHelp
	return c
}
