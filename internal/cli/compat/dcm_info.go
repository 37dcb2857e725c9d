package compat

import (
	"errors"

	"gantry/internal/cli/verb"
)

func dcmInfo() *Program {
	o := new(verb.Info)
	o.Form = verb.Described
	return &Program{
		Name: "dcm_info", Purpose: "summarise DICOM files", Usage: "<path> [path2...] [options]",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if o.Paths = args; len(args) == 0 {
				return errors.New("a path is wanted")
			}
			return nil
		},
		Groups: []Group{{"Options", []Flag{
			{Names: names("-f/--format"), Params: names("format"), Help: "text or json (default text)", Set: oneOf(&o.Format, "text", "json")},
			{Names: names("-r/--recursive"), Help: "go into folders below", Set: to(&o.Recursive, true)},
			{Names: names("--no-file-info"), Help: "leave the section about the file out", Set: to(&o.NoFileInfo, true)},
			{Names: names("-v/--verbose"), Help: "nothing more to say", Always: "every section is always printed"},
			{Names: names("-q/--quiet"), Help: "nothing less to say", Always: "nothing but results is ever printed on standard output"},
			help("-h/--help"),
		}}},
		Examples: []string{"dcm_info image.dcm", "dcm_info -r study --format json", "dcm_info --no-file-info a.dcm b.dcm"},
		Exits: []Exit{
			{0, "done", []verb.Outcome{verb.Done}},
			{1, "wrong arguments", []verb.Outcome{verb.Usage}},
			{2, "a file cannot be read", []verb.Outcome{verb.NoInput, verb.Failed, verb.Partial, verb.Nothing, verb.Output, verb.Connect}},
		},
	}
}
