package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
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
	return command("links DIR", "Make the other names of the program in a folder", &cobra.Command{
		Long: `Make the other names of the program in a folder: symbolic links, or copies where the
system has none. A file that is there already is left alone, unless it is a link to gantry.`,
		Example: "  gantry links /usr/local/bin\n  gantry links ~/bin && gantry-echo localhost:11112",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			program, err := os.Executable()
			if err != nil {
				return fail(ExitFailed, "find this program: %w", err)
			}
			return makeLinks(stdio, program, args[0])
		},
	})
}

func makeLinks(stdio *Stdio, program, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fail(ExitFailed, "%w", err)
	}
	left := 0
	for _, l := range links {
		to := filepath.Join(dir, l.name+executable())
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
