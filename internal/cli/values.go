package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

// naming is a flag's value.
type naming verb.Naming

func (n *naming) String() string {
	switch verb.Naming(*n) {
	case verb.BySeries:
		return "hierarchical"
	case verb.ByDate:
		return "date"
	case verb.ByPatient:
		return "tree"
	case verb.ByViewer:
		return "viewer"
	}
	return "flat"
}

func (n *naming) Set(s string) error {
	switch s {
	case "flat":
		*n = naming(verb.ByInstance)
	case "hierarchical":
		*n = naming(verb.BySeries)
	case "date":
		*n = naming(verb.ByDate)
	case "tree":
		*n = naming(verb.ByPatient)
	case "viewer":
		*n = naming(verb.ByViewer)
	default:
		return fmt.Errorf("want flat, hierarchical, date, tree or viewer")
	}
	return nil
}

// Type is shown in the help.
func (n *naming) Type() string { return "name" }

// overwrite is a flag's value.
type overwrite verb.Twice

func (o *overwrite) String() string { return strconv.FormatBool(verb.Twice(*o) == verb.Replace) }

func (o *overwrite) Set(s string) error {
	on, err := strconv.ParseBool(s)
	if *o = overwrite(verb.Keep); on {
		*o = overwrite(verb.Replace)
	}
	return err
}

// Type is shown in the help.
func (o *overwrite) Type() string { return "bool" }

// resultFlag lets a verb say what came of it as a JSON object.
func resultFlag(c *cobra.Command, o *verb.Common) {
	c.Flags().Var((*resultFormat)(&o.JSON), "format", "text or json: how to say what came of it")
}

// resultFormat is a flag's value.
type resultFormat bool

func (r *resultFormat) String() string {
	if *r {
		return "json"
	}
	return "text"
}

func (r *resultFormat) Set(s string) error {
	if s != "text" && s != "json" {
		return fmt.Errorf("want text or json")
	}
	*r = s == "json"
	return nil
}

// Type is shown in the help.
func (r *resultFormat) Type() string { return "format" }
