// Package compat is the other command lines: those of the described tools and of DCMTK, as
// tables of their flags. A table fills the options of package verb; nothing of what the
// original has is silently ignored: a flag sets something, or is always on, or is refused
// with a message that names the way here.
package compat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gantry/internal/cli/verb"
)

// Program is a command line of another name.
type Program struct {
	Name     string
	Purpose  string
	Usage    string // what stands behind the name
	Groups   []Group
	Examples []string
	Exits    []Exit
	HelpExit int  // exit code of --help
	DCMTK    bool // DCMTK's own name

	// Options is what the flags fill, for tests.
	Options any
	// Args takes the arguments that are no flags.
	Args func([]string) error
	// Run does it.
	Run func(context.Context, *verb.Stdio) error
}

// Group is flags under a heading.
type Group struct {
	Title string
	Flags []Flag
}

// Flag is one flag of the original.
type Flag struct {
	Names  []string
	Params []string // names of its values
	Help   string

	Set    func([]string) error // supported
	Same   bool                 // sets what is the default
	Always string               // accepted: why it changes nothing
	Refuse string               // refused: what to do
}

// Exit is an exit code for outcomes.
type Exit struct {
	Code     int
	Means    string
	Outcomes []verb.Outcome
}

// State says what becomes of a flag.
func (f *Flag) State() string {
	switch {
	case f.Refuse != "":
		return "refused: " + f.Refuse
	case f.Always != "":
		return "always: " + f.Always
	}
	if f.Same {
		return "supported, the default"
	}
	return "supported"
}

// exitOf is the exit code of an outcome.
func (p *Program) exitOf(o verb.Outcome) int {
	for _, e := range p.Exits {
		if slices.Contains(e.Outcomes, o) {
			return e.Code
		}
	}
	return 1
}

// Main runs the program and returns its exit code.
func (p *Program) Main(ctx context.Context, args []string, s *verb.Stdio) int {
	switch err := p.Parse(args); {
	case errors.Is(err, errHelp):
		p.Help(s.Out)
		return p.HelpExit
	case errors.Is(err, errVersion):
		fmt.Fprintf(s.Out, "%s (Gantry)\n", p.Name)
		return 0
	case err != nil:
		fmt.Fprintf(s.Err, "%s: %v\nusage: %s %s\nTry '%s --help' for more.\n", p.Name, err, p.Name, p.Usage, p.Name)
		return p.exitOf(verb.Usage)
	}
	err := p.Run(ctx, s)
	if err == nil {
		return p.exitOf(verb.Done)
	}
	var own interface{ ExitCode() int }
	if errors.As(err, &own) {
		return own.ExitCode()
	}
	out := verb.Failed
	var e *verb.Error
	if errors.As(err, &e) {
		out = e.Outcome
	}
	if e == nil || e.Err != nil {
		fmt.Fprintf(s.Err, "%s: %v\n", p.Name, err)
	}
	return p.exitOf(out)
}

var (
	errHelp    = errors.New("help")
	errVersion = errors.New("version")
)

// Parse fills the options from a command line.
func (p *Program) Parse(args []string) error {
	args, err := expand(args)
	if err != nil {
		return err
	}
	var rest []string
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		if a == "--" && !p.DCMTK {
			rest = append(rest, args...)
			break
		}
		if !isFlag(a) {
			rest = append(rest, a)
			continue
		}
		n, err := p.flag(a, args)
		if err != nil {
			return err
		}
		args = args[n:]
	}
	return p.Args(rest)
}

// isFlag tells flags from arguments; "-" alone is standard input.
func isFlag(a string) bool { return len(a) > 1 && (a[0] == '-' || a[0] == '+') }

// flag takes one flag and returns how many of the arguments behind it are its values.
func (p *Program) flag(name string, behind []string) (int, error) {
	name, attached, has := p.attached(name)
	f := p.find(name)
	if f == nil {
		return 0, fmt.Errorf("unknown option %s", name)
	}
	values, n := behind, len(f.Params)
	if has {
		values, n = append([]string{attached}, behind...), n-1
	}
	if len(values) < len(f.Params) || n < 0 {
		return 0, fmt.Errorf("option %s wants %d value(s)", name, len(f.Params))
	}
	switch {
	case f.Refuse != "":
		return 0, fmt.Errorf("option %s is not supported: %s", name, f.Refuse)
	case f.Set == nil:
		return n, nil
	}
	if err := f.Set(values[:len(f.Params)]); err != nil {
		if errors.Is(err, errHelp) || errors.Is(err, errVersion) {
			return 0, err
		}
		return 0, fmt.Errorf("option %s: %w", name, err)
	}
	return n, nil
}

// attached splits --name=value, which the described tools take.
func (p *Program) attached(a string) (name, value string, ok bool) {
	if p.DCMTK || !strings.HasPrefix(a, "--") {
		return a, "", false
	}
	return strings.Cut(a, "=")
}

func (p *Program) find(name string) *Flag {
	for i := range p.Groups {
		for j := range p.Groups[i].Flags {
			if f := &p.Groups[i].Flags[j]; slices.Contains(f.Names, name) {
				return f
			}
		}
	}
	return nil
}

// Help prints what the program takes.
func (p *Program) Help(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n\nUsage: %s %s\n", p.Name, p.Purpose, p.Name, p.Usage)
	for _, g := range p.Groups {
		fmt.Fprintf(w, "\n%s:\n", g.Title)
		for _, f := range g.Flags {
			if f.Refuse != "" {
				continue
			}
			help := f.Help
			if f.Always != "" {
				help = "accepted; " + f.Always
			}
			fmt.Fprintf(w, "  %-38s %s\n", f.Spelled(), help)
		}
	}
	fmt.Fprint(w, "\nExamples:\n")
	for _, e := range p.Examples {
		fmt.Fprintf(w, "  %s\n", e)
	}
	fmt.Fprint(w, "\nExit codes:\n")
	for _, e := range p.Exits {
		fmt.Fprintf(w, "  %2d  %s\n", e.Code, e.Means)
	}
}

// Spelled is the flag with its values, as the help has it.
func (f *Flag) Spelled() string {
	s := strings.Join(f.Names, ", ")
	for _, v := range f.Params {
		s += " <" + v + ">"
	}
	return s
}

// Table prints every flag of the original and what becomes of it.
func (p *Program) Table(w io.Writer, shownBy func(*Flag) string) {
	for _, g := range p.Groups {
		fmt.Fprintf(w, "%s\n", g.Title)
		for _, f := range g.Flags {
			fmt.Fprintf(w, "  %-44s %-24s %s\n", f.Spelled(), shownBy(&f), f.State())
		}
	}
	for _, e := range p.Exits {
		fmt.Fprintf(w, "exit %d %s\n", e.Code, e.Means)
	}
}
