package compat

import (
	"errors"
	"strings"

	"gantry/internal/cli/verb"
)

func dcmDump() *Program {
	o := &verb.Dump{Format: "text", HidePrivate: true}
	o.Form = verb.Described
	return &Program{
		Name: "dcm_dump", Purpose: "print DICOM files", Usage: "<path> [options]",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if o.Paths = args; len(args) == 0 {
				return errors.New("a path is wanted")
			}
			return nil
		},
		Groups: []Group{{"Options", []Flag{
			{Names: names("-f/--format"), Params: names("format"), Help: "text, json (DICOM JSON Model) or xml (Native DICOM Model); default text", Set: oneOf(&o.Format, "text", "json", "xml")},
			{Names: names("-t/--tag"), Params: names("tag"), Help: "print only this element, (gggg,eeee) or keyword; may be repeated", Set: tagOf(&o.Tags)},
			{Names: names("--tags"), Params: names("list"), Help: "print only these elements, parted by commas: keywords or ggggeeee", Set: func(v []string) error {
				o.Tags = append(o.Tags, strings.Split(v[0], ",")...)
				return nil
			}},
			{Names: names("-s/--search"), Params: names("keyword"), Help: "print only elements with this in their keyword or name", Set: text(&o.Search)},
			{Names: names("-d/--depth"), Params: names("n"), Help: "print only so many levels of sequences, in text (default all)", Set: number(&o.Print.Depth, 1, 1<<20)},
			{Names: names("--pixel-info"), Help: "print what describes the pixel data only", Set: to(&o.PixelInfo, true)},
			{Names: names("--no-pixel"), Help: "leave the pixel data out", Set: to(&o.NoPixel, true)},
			{Names: names("--show-private"), Help: "print private elements too", Set: to(&o.HidePrivate, false)},
			{Names: names("--charset"), Params: names("charset"), Help: "encode text or XML in this character set (default UTF-8)", Set: text(&o.Charset)},
			{Names: names("-r/--recursive"), Help: "print all files in folders and the folders below", Set: to(&o.Recursive, true)},
			{Names: names("--summary"), Help: "count files, modalities and SOP classes only", Set: to(&o.Summary, true)},
			{Names: names("--no-meta"), Help: "leave the file meta information out", Set: to(&o.Print.NoMeta, true)},
			{Names: names("-v/--verbose"), Help: "report deviations from the standard", Set: to(&o.Flaws, true)},
			{Names: names("-q/--quiet"), Help: "print no errors", Set: to(&o.Say, verb.Quiet)},
			help("-h/--help"),
		}}},
		Examples: []string{"dcm_dump image.dcm", "dcm_dump image.dcm -f json --no-pixel", "dcm_dump study -r --summary"},
		Exits: []Exit{
			{0, "done", []verb.Outcome{verb.Done}},
			{1, "wrong arguments", []verb.Outcome{verb.Usage}},
			{2, "a file cannot be read", []verb.Outcome{verb.NoInput, verb.Failed, verb.Partial, verb.Nothing, verb.Output, verb.Connect}},
		},
	}
}

// tagOf takes a tag with or without brackets.
func tagOf(p *[]string) func([]string) error {
	return func(v []string) error {
		*p = append(*p, strings.Trim(v[0], "()"))
		return nil
	}
}
