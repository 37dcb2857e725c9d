package cli

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gantry/internal/cli/compat"
)

func newMan(stdio *Stdio) *cobra.Command {
	var dcmtk bool
	c := command("man DIR", "Write the manual pages", &cobra.Command{
		Long:    "Write a manual page for the program, for each verb and for each of the other names, from\nthe same tables that the help comes from.",
		Example: "  gantry man /usr/local/share/man/man1\n  gantry man --dcmtk man && man ./man/findscu.1\n  gantry man . && man ./gantry-store.1",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := writeManual(c.Root(), args[0], dcmtk)
			if err != nil {
				return fail(ExitFailed, "%w", err)
			}
			fmt.Fprintf(stdio.Out, "%d pages written to %s\n", n, args[0])
			return nil
		},
	})
	c.Flags().BoolVar(&dcmtk, "dcmtk", false, "write pages for the names of DCMTK's programs too")
	return c
}

// writeManual writes all pages and returns how many.
func writeManual(root *cobra.Command, dir string, dcmtk bool) (int, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	n := 0
	page := func(name string, write func(*roff)) error {
		n++
		f, err := os.Create(filepath.Join(dir, name+".1"))
		if err != nil {
			return err
		}
		defer f.Close()
		r := &roff{bufio.NewWriter(f)}
		fmt.Fprintf(r, ".TH %q 1 \"\" \"Gantry %s\"\n", strings.ToUpper(name), Version)
		write(r)
		if err := r.Flush(); err != nil {
			return err
		}
		return f.Close()
	}
	if err := verbPages(root, page); err != nil {
		return n, err
	}
	names := compat.Programs(false)
	if dcmtk {
		names = append(names, compat.Programs(true)...)
	}
	for _, name := range names {
		p, _ := compat.Lookup(name)
		if err := page(strings.ReplaceAll(name, " ", "-"), func(r *roff) { r.program(p) }); err != nil {
			return n, err
		}
	}
	return n, nil
}

// verbPages writes a page for a command and for those below it.
func verbPages(c *cobra.Command, page func(string, func(*roff)) error) error {
	if !c.IsAvailableCommand() && c.HasParent() || c.Name() == "help" {
		return nil
	}
	if err := page(strings.ReplaceAll(c.CommandPath(), " ", "-"), func(r *roff) { r.verb(c) }); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if err := verbPages(sub, page); err != nil {
			return err
		}
	}
	return nil
}

// roff writes a manual page.
type roff struct{ *bufio.Writer }

// escaped is text in which nothing is an order to roff.
func escaped(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

func (r *roff) section(title, text string) {
	fmt.Fprintf(r, ".SH %q\n", strings.ToUpper(title))
	if text != "" {
		fmt.Fprintln(r, escaped(text))
	}
}

// literal is text whose lines stay as they are.
func (r *roff) literal(text string) { fmt.Fprintf(r, ".nf\n%s\n.fi\n", escaped(text)) }

func (r *roff) option(name, text string) {
	fmt.Fprintf(r, ".TP\n.B %s\n%s\n", escaped(name), escaped(text))
}

func (r *roff) name(name, purpose string) {
	r.section("Name", name+" - "+purpose)
}

// verb is the page of a command.
func (r *roff) verb(c *cobra.Command) {
	r.name(strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
	r.section("Synopsis", "")
	r.literal(c.UseLine())
	r.section("Description", "")
	r.literal(c.Long)
	if c.HasAvailableLocalFlags() {
		r.section("Options", "")
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		kind, usage := pflag.UnquoteUsage(f)
		if kind != "" {
			name += " " + kind
		}
		r.option(name, usage)
	})
	if c.Example != "" {
		r.section("Examples", "")
		r.literal(c.Example)
	}
}

// program is the page of another name.
func (r *roff) program(p *compat.Program) {
	r.name(p.Name, p.Purpose)
	r.section("Synopsis", "")
	r.literal(p.Name + " " + p.Usage)
	for _, g := range p.Groups {
		r.section(g.Title, "")
		for i := range g.Flags {
			f := &g.Flags[i]
			text := f.Help
			if state := f.State(); f.Always != "" || f.Refuse != "" {
				text = state
			}
			r.option(f.Spelled(), text)
		}
	}
	r.section("Examples", "")
	r.literal(strings.Join(p.Examples, "\n"))
	r.section("Exit codes", "")
	for _, e := range p.Exits {
		r.option(fmt.Sprint(e.Code), e.Means)
	}
}
