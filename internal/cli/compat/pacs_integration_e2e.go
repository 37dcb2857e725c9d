package compat

import (
	"errors"
	"time"

	"gantry/internal/cli/verb"
)

// pacsIntegration has Catch2's command line, as the described program has.
func pacsIntegration() *Program {
	o := &verb.Selftest{Reporter: "console", Order: "decl", Seed: 1}
	o.Calling, o.MaxPDU, o.Associate, o.Respond = "GANTRYTEST", 128<<10, 30*time.Second, time.Minute
	return &Program{
		Name: verb.Tests, Usage: "[<test name|pattern|tags> ...] [options]",
		Purpose: "try an archive from one end to the other, over real connections.\nWithout --peer it is an archive of its own, in a folder that is removed. " +
			"It stores made-up\nobjects of patients called GANTRYSELFTEST, which stay on a peer: DICOM has no way to delete.\n" +
			"A test is chosen by name, * at its ends, or by tags: [tls], [a][b] both, [a],[b] either, ~[stress] not",
		Options: o, Run: o.Run,
		Args: func(args []string) error { o.Specs = args; return nil },
		Groups: []Group{
			{"Tests", []Flag{
				{Names: names("-l/--list-tests"), Help: "list the tests and run none", Set: to(&o.ListTests, true)},
				{Names: names("--list-tags"), Help: "list the tags and run nothing", Set: to(&o.ListTags, true)},
				{Names: names("--order"), Params: names("order"), Help: "decl, lex or rand (default decl)", Set: oneOf(&o.Order, "decl", "lex", "rand")},
				{Names: names("--rng-seed"), Params: names("n"), Help: "of the order rand (default 1)", Set: number64(&o.Seed)},
				{Names: names("-a/--abort"), Help: "stop at the first test that fails", Set: to(&o.Halt, 1)},
				{Names: names("-x/--abortx"), Params: names("count"), Help: "stop after so many that failed", Set: number(&o.Halt, 1, 1<<31)},
			}},
			{"Report", []Flag{
				{Names: names("-s/--success"), Help: "report what was right too", Set: to(&o.Success, true)},
				{Names: names("-r/--reporter"), Params: names("reporter"), Help: "console, compact, junit or xml (default console)", Set: oneOf(&o.Reporter, "console", "compact", "junit", "xml")},
				{Names: names("-o/--out"), Params: names("file"), Help: "report to a file", Set: text(&o.File)},
				{Names: names("-d/--durations"), Params: names("yes|no"), Help: "report how long each test took (default no)", Set: yesNo(&o.Durations)},
				{Names: names("-i/--invisibles"), Always: "control characters are never printed as they are in XML"},
				{Names: names("-b/--break"), Refuse: "there is no debugger to break into: run gantry selftest under one"},
				help("-h/--help/-?"), version(),
			}},
			{"Peer", []Flag{
				{Names: names("--peer"), Params: names("AE@host:port"), Help: "the archive to try (default: one of its own)", Set: text(&o.Target)},
				{Names: names("--calling-ae"), Params: names("title"), Help: "our AE title (default GANTRYTEST)", Set: title(&o.Calling)},
				{Names: names("--receive"), Params: names("port"), Help: "port at which the peer knows our AE title, for C-MOVE", Set: number(&o.Receive, 1, 65535)},
			}},
			tlsGroup(&o.Peer),
		},
		Examples: []string{"pacs_integration_e2e", "pacs_integration_e2e '[smoke]' '~[tls]' --peer PACS@10.0.0.9:104", "pacs_integration_e2e '~[stress]' --reporter junit --out results.xml"},
		Exits: []Exit{
			{0, "no test failed", []verb.Outcome{verb.Done}},
			{1, "so many tests failed, at most 255", []verb.Outcome{verb.Failed, verb.Partial}},
			{2, "no test was chosen", []verb.Outcome{verb.Nothing}},
			{255, "wrong arguments, no peer, or no report", []verb.Outcome{verb.Usage, verb.Connect, verb.NoInput, verb.Output}},
		},
	}
}

// yesNo sets a switch from a word.
func yesNo(p *bool) func([]string) error {
	return func(v []string) error {
		if v[0] != "yes" && v[0] != "no" {
			return errors.New("want yes or no")
		}
		*p = v[0] == "yes"
		return nil
	}
}

// number64 sets a seed.
func number64(p *uint64) func([]string) error {
	return func(v []string) error {
		var n int64
		err := number(&n, 0, 1<<62)(v)
		*p = uint64(n)
		return err
	}
}
