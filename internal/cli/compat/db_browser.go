package compat

import (
	"errors"
	"slices"
	"strings"

	"gantry/internal/cli/verb"
)

func dbBrowser() *Program {
	o := &verb.Browse{Limit: 50}
	o.Form = verb.Described
	return &Program{
		Name: "db_browser", Purpose: "look into the index of an archive, which may be at work", Usage: "<database> <command> [options]",
		Options: o, Run: o.Run, Args: browses(o),
		Groups: []Group{{"Options", []Flag{
			{Names: names("--patient-id"), Params: names("id"), Help: "of this patient", Set: text(&o.PatientID)},
			{Names: names("--patient-name"), Params: names("name"), Help: "of patients of this name, * and ? allowed", Set: text(&o.PatientName)},
			{Names: names("--study-uid"), Params: names("uid"), Help: "of this study", Set: text(&o.Study)},
			{Names: names("--series-uid"), Params: names("uid"), Help: "of this series", Set: text(&o.Series)},
			{Names: names("--modality"), Params: names("modality"), Help: "of this modality", Set: text(&o.Modality)},
			{Names: names("--from"), Params: names("YYYYMMDD"), Help: "of studies from this day on", Set: text(&o.From)},
			{Names: names("--to"), Params: names("YYYYMMDD"), Help: "of studies up to this day", Set: text(&o.To)},
			{Names: names("--limit"), Params: names("n"), Help: "most rows (default 50)", Set: number(&o.Limit, 1, 1<<31)},
			{Names: names("--offset"), Params: names("n"), Help: "rows to leave out first (default 0)", Set: number(&o.Offset, 0, 100_000)},
			{Names: names("--verbose/-v"), Help: "verify: name every missing file", Set: to(&o.Say, verb.Verbose)},
			help("--help/-h"),
		}}},
		Examples: []string{"db_browser gantry-data studies --from 20260101", "db_browser gantry-data/index.db instances --study-uid 1.2.3", "db_browser gantry-data verify"},
		Exits: []Exit{
			{0, "done", []verb.Outcome{verb.Done, verb.Nothing}},
			{1, "wrong arguments, or files are missing", []verb.Outcome{verb.Usage, verb.Partial, verb.Failed}},
			{2, "the database cannot be read", []verb.Outcome{verb.NoInput, verb.Output, verb.Connect}},
		},
	}
}

// browses are the arguments <database> <command>.
func browses(o *verb.Browse) func([]string) error {
	return func(args []string) error {
		if len(args) != 2 {
			return errors.New("database and command are wanted")
		}
		if o.Database, o.Command = args[0], args[1]; !slices.Contains(verb.BrowseCommands(), o.Command) {
			return errors.New("no command " + o.Command + ": want one of " + strings.Join(verb.BrowseCommands(), ", "))
		}
		return nil
	}
}
