package verb

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// testReporter prints results: one as they come, all at the end.
type testReporter interface {
	one(*result)
	end([]*result) error
}

func (o *Selftest) reporter(w *bufio.Writer) (testReporter, error) {
	switch o.Reporter {
	case "console", "":
		return &consoleReport{o, w}, nil
	case "compact":
		return &compactReport{o, w}, nil
	case "junit":
		return &junitReport{w}, nil
	case "xml":
		return &catchReport{o, w}, nil
	}
	return nil, Fail(Usage, "reporter %q: want console, compact, junit or xml", o.Reporter)
}

// totals are counts of scenarios and of what they checked.
type totals struct{ cases, failed, skipped, checks, failures int }

func totalsOf(results []*result) (t totals) {
	for _, r := range results {
		failures := len(r.failures())
		t.cases++
		t.checks += len(r.checks)
		t.failures += failures
		switch {
		case failures > 0:
			t.failed++
		case r.skipped != "":
			t.skipped++
		}
	}
	return t
}

// consoleReport prints for people.
type consoleReport struct {
	o *Selftest
	w *bufio.Writer
}

func (p *consoleReport) one(r *result) {
	if len(r.failures()) > 0 || r.skipped != "" || p.o.Success {
		rule := strings.Repeat("-", 79)
		fmt.Fprintf(p.w, "%s\n%s\n  [%s]\n%s\n", rule, r.name, strings.Join(r.tags, "]["), rule)
		for _, c := range r.checks {
			switch {
			case !c.ok:
				fmt.Fprintf(p.w, "FAILED: %s\n", c.what)
			case p.o.Success:
				fmt.Fprintf(p.w, "PASSED: %s\n", c.what)
			}
		}
		if r.skipped != "" {
			fmt.Fprintf(p.w, "SKIPPED: %s\n", r.skipped)
		}
		fmt.Fprintln(p.w)
	}
	if p.o.Durations {
		fmt.Fprintf(p.w, "%.3f s: %s\n", r.took.Seconds(), r.name)
	}
	p.w.Flush()
}

func (p *consoleReport) end(results []*result) error {
	t := totalsOf(results)
	fmt.Fprintln(p.w, strings.Repeat("=", 79))
	if t.failed == 0 && t.skipped == 0 {
		_, err := fmt.Fprintf(p.w, "All tests passed (%d assertions in %d test cases)\n", t.checks, t.cases)
		return err
	}
	fmt.Fprintf(p.w, "test cases: %4d | %4d passed | %4d failed | %4d skipped\n", t.cases, t.cases-t.failed-t.skipped, t.failed, t.skipped)
	_, err := fmt.Fprintf(p.w, "assertions: %4d | %4d passed | %4d failed\n", t.checks, t.checks-t.failures, t.failures)
	return err
}

// compactReport prints a line for each thing that is not right.
type compactReport struct {
	o *Selftest
	w *bufio.Writer
}

func (p *compactReport) one(r *result) {
	for _, c := range r.checks {
		switch {
		case !c.ok:
			fmt.Fprintf(p.w, "%s: failed: %s\n", r.name, c.what)
		case p.o.Success:
			fmt.Fprintf(p.w, "%s: passed: %s\n", r.name, c.what)
		}
	}
	if r.skipped != "" {
		fmt.Fprintf(p.w, "%s: skipped: %s\n", r.name, r.skipped)
	}
	if p.o.Durations {
		fmt.Fprintf(p.w, "%.3f s: %s\n", r.took.Seconds(), r.name)
	}
	p.w.Flush()
}

func (p *compactReport) end(results []*result) error {
	t := totalsOf(results)
	_, err := fmt.Fprintf(p.w, "%d test cases with %d assertions: %d passed, %d failed, %d skipped.\n",
		t.cases, t.checks, t.cases-t.failed-t.skipped, t.failed, t.skipped)
	return err
}

// junitReport is what build servers read.
type junitReport struct{ w io.Writer }

type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Host      string      `xml:"hostname,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class    string         `xml:"classname,attr"`
	Name     string         `xml:"name,attr"`
	Time     string         `xml:"time,attr"`
	Failures []junitFailure `xml:"failure"`
	Skipped  *junitSkipped  `xml:"skipped"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

func (p *junitReport) one(*result) {}

func (p *junitReport) end(results []*result) error {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	t, took := totalsOf(results), time.Duration(0)
	suite := junitSuite{Name: Tests, Tests: t.cases, Failures: t.failed, Skipped: t.skipped, Host: host, Timestamp: time.Now().UTC().Format("2006-01-02T15:04:05Z")}
	for _, r := range results {
		took += r.took
		one := junitCase{Class: Tests + "." + r.tags[0], Name: r.name, Time: seconds(r.took)}
		for _, what := range r.failures() {
			one.Failures = append(one.Failures, junitFailure{what, "check", "FAILED: " + what})
		}
		if r.skipped != "" && one.Failures == nil {
			one.Skipped = &junitSkipped{r.skipped}
		}
		suite.Cases = append(suite.Cases, one)
	}
	suite.Time = seconds(took)
	return writeDocument(p.w, junitSuites{Suite: suite})
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func writeDocument(w io.Writer, v any) error {
	io.WriteString(w, xml.Header)
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// catchReport is Catch2's own XML.
type catchReport struct {
	o *Selftest
	w io.Writer
}

type catchRun struct {
	XMLName xml.Name    `xml:"Catch2TestRun"`
	Name    string      `xml:"name,attr"`
	Seed    uint64      `xml:"rng-seed,attr"`
	Format  int         `xml:"xml-format-version,attr"`
	Cases   []catchCase `xml:"TestCase"`
	Checks  catchTotals `xml:"OverallResults"`
	Totals  catchTotals `xml:"OverallResultsCases"`
}

type catchCase struct {
	Name        string            `xml:"name,attr"`
	Tags        string            `xml:"tags,attr"`
	Expressions []catchExpression `xml:"Expression"`
	Skip        string            `xml:"Skip,omitempty"`
	Result      struct {
		Success bool   `xml:"success,attr"`
		Skips   int    `xml:"skips,attr"`
		Seconds string `xml:"durationInSeconds,attr,omitempty"`
	} `xml:"OverallResult"`
}

type catchExpression struct {
	Success  bool   `xml:"success,attr"`
	Type     string `xml:"type,attr"`
	Original string
	Expanded string
}

type catchTotals struct {
	Successes int `xml:"successes,attr"`
	Failures  int `xml:"failures,attr"`
	Expected  int `xml:"expectedFailures,attr"`
	Skips     int `xml:"skips,attr"`
}

func (p *catchReport) one(*result) {}

func (p *catchReport) end(results []*result) error {
	t := totalsOf(results)
	run := catchRun{Name: Tests, Seed: p.o.Seed, Format: 3,
		Checks: catchTotals{Successes: t.checks - t.failures, Failures: t.failures, Skips: t.skipped},
		Totals: catchTotals{Successes: t.cases - t.failed - t.skipped, Failures: t.failed, Skips: t.skipped}}
	for _, r := range results {
		run.Cases = append(run.Cases, p.testCase(r))
	}
	return writeDocument(p.w, run)
}

func (p *catchReport) testCase(r *result) catchCase {
	out := catchCase{Name: r.name, Tags: "[" + strings.Join(r.tags, "][") + "]", Skip: r.skipped}
	for _, c := range r.checks {
		if !c.ok || p.o.Success {
			out.Expressions = append(out.Expressions, catchExpression{c.ok, "REQUIRE", c.what, c.what})
		}
	}
	out.Result.Success = len(r.failures()) == 0
	if r.skipped != "" {
		out.Result.Skips = 1
	}
	if p.o.Durations {
		out.Result.Seconds = seconds(r.took)
	}
	return out
}
