package verb

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

// Selftest runs scenarios from one end to the other over real connections, against a peer
// or against an archive of its own.
type Selftest struct {
	Common
	Peer
	Target    string // AE@host:port; empty: an archive of its own, in a folder that is removed
	Receive   int    // port that Peer knows our AE title to be at, for C-MOVE
	Specs     []string
	ListTests bool
	ListTags  bool
	Success   bool   // print what was right too
	Reporter  string // console, compact, junit or xml
	File      string // where the report goes; empty is standard output
	Durations bool
	Halt      int    // stop after so many failed scenarios, 0 is never
	Order     string // decl, lex or rand
	Seed      uint64

	timeout time.Duration // of a scenario; default two minutes
}

// Tests is the name under which reports have the scenarios.
const Tests = "pacs_integration_e2e"

// FailedTests is how many scenarios failed.
type FailedTests int

func (n FailedTests) Error() string { return fmt.Sprintf("%d failed", int(n)) }

// Unwrap makes it an outcome that was reported already.
func (n FailedTests) Unwrap() error { return Ended(Failed) }

// ExitCode is Catch2's: as many as failed, as far as an exit code goes.
func (n FailedTests) ExitCode() int { return min(int(n), 255) }

// scenario is a test.
type scenario struct {
	name string
	tags []string
	run  func(*check)
}

// result is what came of a scenario.
type result struct {
	*scenario
	took    time.Duration
	checks  []checked
	skipped string // why; empty: it ran
}

// checked is something that was looked at.
type checked struct {
	what string
	ok   bool
}

func (r *result) failures() (out []string) {
	for _, c := range r.checks {
		if !c.ok {
			out = append(out, c.what)
		}
	}
	return out
}

// Run runs the scenarios that are meant, or lists them.
func (o *Selftest) Run(ctx context.Context, s *Stdio) (err error) {
	chosen, err := o.choose()
	if err != nil {
		return err
	}
	out, done, err := o.output(s)
	if err != nil {
		return err
	}
	defer func() {
		if e := done(); e != nil {
			err = Fail(Output, "report: %w", e)
		}
	}()
	if o.ListTests || o.ListTags {
		return o.list(out, chosen)
	}
	report, err := o.reporter(out)
	if err != nil {
		return err
	}
	if len(chosen) == 0 {
		return Fail(Nothing, "no scenario matches %s; see --list-tests", strings.Join(o.Specs, " "))
	}
	w, err := o.world(ctx, s)
	if err != nil {
		return err
	}
	defer w.close()
	results := o.all(ctx, w, chosen, report)
	if err := report.end(results); err != nil {
		return Fail(Output, "%w", err)
	}
	if !w.own && w.sent.Load() > 0 {
		o.says(s, Normal, "%d made-up objects stay at the peer, of patients called %s: DICOM has no way to delete them", w.sent.Load(), testPatient)
	}
	return outcomeOf(ctx, results)
}

func outcomeOf(ctx context.Context, results []*result) error {
	failed := 0
	for _, r := range results {
		if len(r.failures()) > 0 {
			failed++
		}
	}
	switch {
	case failed > 0:
		return FailedTests(failed)
	case ctx.Err() != nil:
		return Fail(Failed, "interrupted")
	}
	return nil
}

// choose returns the scenarios that are meant, in their order.
func (o *Selftest) choose() ([]*scenario, error) {
	var filters []filter
	for _, spec := range o.Specs {
		f, err := parseSpec(spec)
		if err != nil {
			return nil, Fail(Usage, "%w", err)
		}
		filters = append(filters, f...)
	}
	var out []*scenario
	for i := range scenarios {
		if fits(filters, &scenarios[i]) {
			out = append(out, &scenarios[i])
		}
	}
	switch o.Order {
	case "decl", "":
	case "lex":
		slices.SortFunc(out, func(a, b *scenario) int { return cmp.Compare(a.name, b.name) })
	case "rand":
		r := rand.New(rand.NewPCG(o.Seed, 0))
		r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	default:
		return nil, Fail(Usage, "order %q: want decl, lex or rand", o.Order)
	}
	return out, nil
}

func (o *Selftest) output(s *Stdio) (*bufio.Writer, func() error, error) {
	if o.File == "" || o.File == "-" {
		w := bufio.NewWriter(s.Out)
		return w, w.Flush, nil
	}
	f, err := os.Create(o.File)
	if err != nil {
		return nil, nil, Fail(Output, "%w", err)
	}
	w := bufio.NewWriter(f)
	return w, func() error {
		if err := w.Flush(); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}, nil
}

func (o *Selftest) list(w io.Writer, chosen []*scenario) error {
	which := "All available"
	if len(o.Specs) > 0 {
		which = "Matching"
	}
	if o.ListTags {
		tags := map[string]int{}
		for _, s := range chosen {
			for _, t := range s.tags {
				tags[t]++
			}
		}
		fmt.Fprintf(w, "%s tags:\n", which)
		for _, t := range testTags {
			if tags[t] > 0 {
				fmt.Fprintf(w, "%4d  [%s]\n", tags[t], t)
			}
		}
		_, err := fmt.Fprintf(w, "%d tags\n\n", len(tags))
		return err
	}
	fmt.Fprintf(w, "%s test cases:\n", which)
	for _, s := range chosen {
		fmt.Fprintf(w, "  %s\n      [%s]\n", s.name, strings.Join(s.tags, "]["))
	}
	_, err := fmt.Fprintf(w, "%d test cases\n\n", len(chosen))
	return err
}

// all runs scenarios one after the other.
func (o *Selftest) all(ctx context.Context, w *world, chosen []*scenario, report testReporter) []*result {
	var out []*result
	failed := 0
	for _, s := range chosen {
		if ctx.Err() != nil {
			break
		}
		r := o.one(ctx, w, s)
		out = append(out, r)
		report.one(r)
		if len(r.failures()) > 0 {
			failed++
		}
		if o.Halt > 0 && failed >= o.Halt {
			break
		}
	}
	return out
}

// scenarioTime is how long a scenario may take: each has its end.
const scenarioTime = 2 * time.Minute

func (o *Selftest) one(ctx context.Context, w *world, s *scenario) *result {
	r := &result{scenario: s}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(o.timeout, scenarioTime))
	defer cancel()
	start := time.Now()
	c := &check{ctx: ctx, world: w, result: r}
	c.run()
	r.took = time.Since(start)
	return r
}
