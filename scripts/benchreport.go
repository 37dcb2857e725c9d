//go:build ignore

// Benchreport runs the benchmarks that gates are set for, prints which gates are met, and
// writes the same with all that was printed to a file. It is run by `make bench`.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// gate is a row of gates.tsv.
type gate struct {
	id, pkg, benchmark, metric, relation string
	bound                                float64
	what                                 string
}

func main() {
	only := flag.String("only", "", "expression of the gates to look at, such as '^P'; empty for all")
	out := flag.String("o", "bin/bench.md", "file of the report")
	flag.Parse()
	if err := run(*only, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(only, out string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	gates, err := readGates("scripts/gates.tsv")
	if err != nil {
		return err
	}
	gates = slices.DeleteFunc(gates, func(g gate) bool { return !pattern.MatchString(g.id) })
	var raw bytes.Buffer
	measured := map[string]float64{}
	for _, pkg := range packages(gates) {
		if err := measure(pkg, gates, &raw, measured); err != nil {
			return err
		}
	}
	report := table(gates, measured)
	fmt.Print(report)
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, []byte(report+"\n## All that was printed\n\n```\n"+raw.String()+"```\n"), 0o644)
}

func readGates(name string) ([]gate, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var out []gate
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(f) != 7 {
			continue
		}
		bound, err := strconv.ParseFloat(f[5], 64)
		if err != nil || f[4] != "least" && f[4] != "most" {
			return nil, fmt.Errorf("%s: %q: want least or most and a number", name, line)
		}
		out = append(out, gate{f[0], f[1], f[2], f[3], f[4], bound, f[6]})
	}
	return out, nil
}

func packages(gates []gate) (out []string) {
	for _, g := range gates {
		if !slices.Contains(out, g.pkg) {
			out = append(out, g.pkg)
		}
	}
	return out
}

// measure runs the benchmarks of a package, each once: they repeat what they compare
// themselves.
func measure(pkg string, gates []gate, raw io.Writer, into map[string]float64) error {
	var names []string
	for _, g := range gates {
		name, _, _ := strings.Cut(g.benchmark, "/")
		if g.pkg == pkg && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	c := exec.Command("go", "test", "-run", "^$", "-bench", "^("+strings.Join(names, "|")+")$", "-benchtime", "1x", "-timeout", "3h", "./"+pkg)
	c.Stderr = os.Stderr
	pipe, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		fmt.Fprintln(raw, lines.Text())
		if strings.HasPrefix(lines.Text(), "Benchmark") {
			fmt.Fprintln(os.Stderr, lines.Text())
			read(lines.Text(), pkg, into)
		}
	}
	return c.Wait()
}

var procs = regexp.MustCompile(`-\d+$`)

// read takes the metrics of a benchmark's line.
func read(line, pkg string, into map[string]float64) {
	f := strings.Fields(line)
	name := procs.ReplaceAllString(f[0], "")
	for i := 2; i+1 < len(f); i += 2 {
		if v, err := strconv.ParseFloat(f[i], 64); err == nil {
			into[pkg+" "+name+" "+f[i+1]] = v
		}
	}
}

func table(gates []gate, measured map[string]float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Gates\n\n%s/%s, %d cores, %s. Each row is a ratio or a bound measured in this run.\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	b.WriteString("| gate | what | wanted | measured | |\n|---|---|---|---|---|\n")
	for _, g := range gates {
		v, ok := measured[g.pkg+" "+g.benchmark+" "+g.metric]
		state := "not met"
		switch {
		case !ok:
			state = "not measured"
		case g.relation == "least" && v >= g.bound, g.relation == "most" && v <= g.bound:
			state = "met"
		}
		fmt.Fprintf(&b, "| %s | %s (%s) | at %s %v | %.3g | %s |\n", g.id, g.what, g.metric, g.relation, g.bound, v, state)
	}
	return b.String()
}
