package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"gantry/internal/cli/compat"
)

// links are the other names of this program and the verbs that they stand for.
var links = [...]struct{ name, verb string }{
	{"gantry-dump", "dump"},
	{"gantry-echo", "echo"},
	{"gantry-find", "find"},
	{"gantry-get", "get"},
	{"gantry-move", "move"},
	{"gantry-serve", "serve"},
	{"gantry-store", "store"},
}

// verbOf returns the verb that a name stands for.
func verbOf(name string) (string, bool) {
	for _, l := range links {
		if l.name == name {
			return l.verb, true
		}
	}
	return "", false
}

func newLinks(stdio *Stdio) *cobra.Command {
	var dcmtk bool
	c := command("links DIR", "Make the other names of the program in a folder", &cobra.Command{
		Long: `Make the other names of the program in a folder, each with the options, output and exit
codes that it is known for: symbolic links, or hard links where the system has none. A file
that is there already is left alone, unless it is a link to gantry. No name is made that a
system has for something else.`,
		Example: "  gantry links /usr/local/bin\n  gantry links ~/bin && gantry-echo localhost:11112\n  gantry links --dcmtk ~/bin && echoscu localhost 11112",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			program, err := os.Executable()
			if err != nil {
				return fail(ExitFailed, "find this program: %w", err)
			}
			return makeLinks(stdio, program, args[0], linkNames(dcmtk))
		},
	})
	c.Flags().BoolVar(&dcmtk, "dcmtk", false, "make the names of DCMTK's programs too")
	return c
}

// linkNames are the names to make.
func linkNames(dcmtk bool) []string {
	var out []string
	for _, l := range links {
		out = append(out, l.name)
	}
	out = append(out, compat.Names(false)...)
	if dcmtk {
		out = append(out, compat.Names(true)...)
	}
	return out
}

func makeLinks(stdio *Stdio, program, dir string, names []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(ExitFailed, "%w", err)
	}
	left := 0
	for _, name := range names {
		to := filepath.Join(dir, name+executable())
		err := link(program, to)
		if errors.Is(err, fs.ErrExist) {
			fmt.Fprintf(stdio.Err, "%s: exists, left alone\n", to)
			left++
			continue
		}
		if err != nil {
			return fail(ExitFailed, "%w", err)
		}
		fmt.Fprintln(stdio.Out, to)
	}
	if left > 0 {
		return failQuietly(ExitFailed)
	}
	return nil
}

func executable() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

func link(program, to string) error {
	if old, err := os.Readlink(to); err == nil && old == program {
		return nil
	}
	if runtime.GOOS != "windows" {
		return os.Symlink(program, to)
	}
	return os.Link(program, to)
}
