package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/spf13/cobra"
)

// links are the other names of this program and the verbs that they stand for.
var links = map[string]string{
	"gantry-serve": "serve",
	"gantry-echo":  "echo",
	"gantry-store": "store",
	"gantry-find":  "find",
	"gantry-move":  "move",
	"gantry-get":   "get",
	"gantry-dump":  "dump",
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
	names := make([]string, 0, len(links))
	for name := range links {
		names = append(names, name)
	}
	slices.Sort(names)
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
