package verb

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"gantry/dicomtest"
	"gantry/dimse"
)

func TestSpec(t *testing.T) {
	s := &scenario{name: "An object, cut short", tags: []string{"stability", "smoke"}}
	for spec, want := range map[string]bool{
		"":                              true,
		"[smoke]":                       true,
		"[Smoke][STABILITY]":            true,
		"[smoke] [tls]":                 false,
		"[tls],[smoke]":                 true,
		"~[tls]":                        true,
		"~[smoke]":                      false,
		"[stability]~[smoke]":           false,
		"an object*":                    true,
		"*cut short":                    true,
		"*JECT*":                        true,
		"an object":                     false,
		`"an object, cut short"`:        true,
		`an object\, cut short`:         true,
		"an object, cut short":          false, // either "an object" or "cut short"
		"*object*[smoke]":               true,
		"*object*~[smoke]":              false,
		"exclude:[smoke]":               false,
		"exclude:nothing":               true,
		`~"an object, cut short"`:       false,
		"nothing,*short[smoke],[other]": true,
		"?n object*":                    false,
	} {
		f, err := parseSpec(spec)
		if err != nil || fits(f, s) != want {
			t.Errorf("%q: %v, want %v (%v)", spec, fits(f, s), want, err)
		}
	}
	for _, spec := range []string{"[tag", "[]", `"open`, "~", strings.Repeat("a", maxSpec+1)} {
		if _, err := parseSpec(spec); err == nil {
			t.Errorf("%.20q: no error", spec)
		}
	}
}

func FuzzSpec(f *testing.F) {
	f.Add(`"a b"~[x],*c\,d exclude:[y]`)
	f.Fuzz(func(t *testing.T, spec string) {
		filters, err := parseSpec(spec)
		if err == nil {
			fits(filters, &scenarios[0])
		}
	})
}

// TestScenarioTable holds the table to the tags that are listed.
func TestScenarioTable(t *testing.T) {
	names, used := map[string]bool{}, map[string]bool{}
	for _, s := range scenarios {
		if names[s.name] || len(s.tags) == 0 {
			t.Errorf("%s: twice, or without a tag", s.name)
		}
		names[s.name] = true
		for _, tag := range s.tags {
			used[tag] = true
			if !slices.Contains(testTags, tag) {
				t.Errorf("%s: tag %s is not listed", s.name, tag)
			}
		}
	}
	if len(used) != len(testTags) {
		t.Errorf("%d tags are used of %d", len(used), len(testTags))
	}
}

// selftest runs a specification against a server.
func selftest(t *testing.T, h dimse.Handler, spec, reporter string) (string, error) {
	t.Helper()
	o := &Selftest{Target: dicomtest.Serve(t, &dimse.Server{Handler: h, Policy: dimse.Policy{AnyCalled: true}}), Specs: []string{spec}, Reporter: reporter, timeout: 20 * time.Second}
	o.Calling = testTitle
	var out bytes.Buffer
	err := o.Run(context.Background(), &Stdio{In: strings.NewReader(""), Out: &out, Err: io.Discard})
	return out.String(), err
}

type junitRead struct {
	Suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure []struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// TestSelftestHealthy runs what a peer in memory can do: nothing may fail, and what it does
// not have is skipped for the reason that it rejects it.
func TestSelftestHealthy(t *testing.T) {
	// That archive does not know ranges of dates, and the scenario about them says so.
	out, err := selftest(t, new(dicomtest.Archive).Mux(nil), `~[stress]~[dcmtk]~[stability]~"wildcards, ranges and lists match"`, "junit")
	var r junitRead
	if e := xml.Unmarshal([]byte(out), &r); e != nil || err != nil {
		t.Fatalf("%v %v\n%s", err, e, out)
	}
	skipped := 0
	for _, c := range r.Suite.Cases {
		if c.Skipped != nil {
			skipped++
		}
		if strings.HasPrefix(c.Name, "A worklist") || strings.HasPrefix(c.Name, "A performed") {
			if c.Skipped == nil || !strings.Contains(c.Skipped.Message, "rejects the presentation context") {
				t.Errorf("%s is not skipped: %+v", c.Name, c)
			}
		}
	}
	if r.Suite.Failures != 0 || r.Suite.Tests != len(r.Suite.Cases) || skipped != r.Suite.Skipped || r.Suite.Tests-skipped < 12 {
		t.Errorf("%d tests, %d skipped: %s", r.Suite.Tests, skipped, out)
	}
}

// TestSelftestFinds has peers with faults, each of which a scenario must find.
func TestSelftestFinds(t *testing.T) {
	lossy := func() dimse.Handler { // acknowledges what it does not keep
		return receiver(dimse.StorerFunc(func(_ context.Context, in *dimse.Incoming) error {
			_, err := io.Copy(io.Discard, in.Body)
			return err
		}))
	}
	forgets := func() dimse.Handler { // answers every query with nothing
		mux, kept := new(dicomtest.Archive).Mux(nil), new(dicomtest.Archive).Mux(nil)
		return faulty{mux, func(w dimse.ResponseWriter, r *dimse.Request) {
			if r.Op == dimse.CFind || r.Op == dimse.CGet {
				kept.ServeDIMSE(w, r)
				return
			}
			mux.ServeDIMSE(w, r)
		}}
	}
	changes := func() dimse.Handler { // keeps other pixels
		a := new(dicomtest.Archive)
		mux := a.Mux(nil)
		return faulty{mux, func(w dimse.ResponseWriter, r *dimse.Request) {
			if r.Op == dimse.CStore {
				r.Data = &flipped{r: r.Data}
			}
			mux.ServeDIMSE(w, r)
		}}
	}
	silent := func() dimse.Handler { // refuses C-ECHO
		mux := new(dicomtest.Archive).Mux(nil)
		return faulty{mux, func(w dimse.ResponseWriter, r *dimse.Request) { w.Final(dimse.ProcessingFailure, nil) }}
	}
	for name, c := range map[string]struct {
		peer func() dimse.Handler
		spec string
		want int
		text string
	}{
		"forgets": {forgets, "A stored object*", 2, "0 found by"},
		"changes": {changes, "A stored object comes back*", 1, "came back as it was sent"},
		"silent":  {silent, "[connectivity]~[tls]~[dcmtk]", 5, "C-ECHO"},
	} {
		out, err := selftest(t, c.peer(), c.spec, "console")
		var failed FailedTests
		if !errors.As(err, &failed) || failed.ExitCode() != c.want || !strings.Contains(out, "FAILED: ") || !strings.Contains(out, c.text) {
			t.Errorf("%s: %v, want %d failed\n%s", name, err, c.want, out)
		}
	}
	// Without queries there is nothing to say about what was kept.
	if out, err := selftest(t, lossy(), "A stored object is found*", "compact"); err != nil || !strings.Contains(out, "skipped: ") {
		t.Errorf("no C-FIND: %v %s", err, out)
	}
	if n := FailedTests(300).ExitCode(); n != 255 {
		t.Errorf("exit code of 300 failures: %d", n)
	}
}

// faulty is a multiplexer's services with a fault in them.
type faulty struct {
	dimse.Offerer
	serve func(dimse.ResponseWriter, *dimse.Request)
}

func (f faulty) ServeDIMSE(w dimse.ResponseWriter, r *dimse.Request) { f.serve(w, r) }

// flipped changes one byte of the pixels.
type flipped struct {
	r io.Reader
	n int
}

func (f *flipped) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if at := 100_000 - f.n; at >= 0 && at < n {
		p[at] ^= 1
	}
	f.n += n
	return n, err
}

// TestReports prints a passed, a failed and a skipped scenario in each format.
func TestReports(t *testing.T) {
	results := []*result{
		{scenario: &scenarios[0], checks: []checked{{"fine", true}}},
		{scenario: &scenarios[1], checks: []checked{{"wrong <&\x01>", false}, {"also", false}}},
		{scenario: &scenarios[2], skipped: "not \"there\""},
	}
	for reporter, want := range map[string]string{
		"console": "test cases:    3 |    1 passed |    1 failed |    1 skipped\nassertions:    3 |    1 passed |    2 failed\n",
		"compact": "3 test cases with 3 assertions: 1 passed, 1 failed, 1 skipped.\n",
		"junit":   `<failure message="wrong &lt;&amp;`,
		"xml":     `<OverallResultsCases successes="1" failures="1" expectedFailures="0" skips="1">`,
	} {
		var b bytes.Buffer
		o := &Selftest{Reporter: reporter, Success: true}
		w, _, _ := o.output(&Stdio{Out: &b})
		p, err := o.reporter(w)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			p.one(r)
		}
		if err := p.end(results); err != nil {
			t.Error(err)
		}
		w.Flush()
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s:\n%s", reporter, b.String())
		}
		if reporter == "junit" || reporter == "xml" {
			if err := xml.Unmarshal(b.Bytes(), new(struct{})); err != nil {
				t.Errorf("%s: %v", reporter, err)
			}
		}
	}
}

// TestScenarioPanics makes whatever a scenario does a result.
func TestScenarioPanics(t *testing.T) {
	o := new(Selftest)
	r := o.one(context.Background(), &world{}, &scenario{"bad", []string{"smoke"}, func(c *check) { panic("oh") }})
	if f := r.failures(); len(f) != 1 || f[0] != "panic: oh" {
		t.Errorf("%v", f)
	}
}
