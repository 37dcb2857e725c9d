package compat

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gantry/internal/cli/verb"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestTables compares what becomes of every flag of every program with its golden table,
// which names a script of testdata/scripts that uses it.
func TestTables(t *testing.T) {
	scripts := scriptLines(t)
	for _, e := range programs() {
		p := e.make()
		if p.Name != e.name || p.DCMTK != e.dcmtk {
			t.Errorf("%s is %s, %v", e.name, p.Name, p.DCMTK)
		}
		var b bytes.Buffer
		p.Table(&b, func(f *Flag) string {
			script := scriptOf(scripts[p.Name], f)
			if script == "" {
				t.Errorf("%s: no script uses %s", p.Name, f.Spelled())
			}
			return script
		})
		name := filepath.Join("testdata", "compat", strings.ReplaceAll(p.Name, " ", "_")+".golden")
		if *update {
			if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, b.Bytes()) {
			t.Errorf("%s: the table changed; go test -update if it is right\n%s", p.Name, b.String())
		}
	}
}

// sample is a value that a parameter takes and that is no default.
func sample(t *testing.T, param string) string {
	switch param {
	case "title":
		return "OTHER"
	case "seconds", "ms", "count", "n":
		return "7"
	case "port":
		return "7777"
	case "bytes":
		return "32768"
	case "level":
		return "SERIES"
	case "1.2|1.3":
		return "1.3"
	case "element":
		return "0010,0010"
	case "tag=value", "key":
		return "PatientID=1"
	case "model":
		return "patient"
	case "format":
		return "json"
	case "dir":
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, "a.pem"), nil, 0o600)
		return dir
	case "token":
		name := filepath.Join(t.TempDir(), "token")
		os.WriteFile(name, []byte("ticket"), 0o600)
		return name
	case "peer":
		return "OTHER:localhost:104"
	case "naming":
		return "date"
	case "policy":
		return "replace"
	case "structure":
		return "flat"
	case "layout":
		return "tree"
	case "verbosity":
		return "info"
	case "binary|json|xml":
		return "xml"
	case "record-key":
		return "SOPClassUID:1"
	case "mode":
		return "move"
	case "yes|no":
		return "yes"
	case "order":
		return "lex"
	case "reporter":
		return "junit"
	case "1-4":
		return "3"
	case "density":
		return "0.5"
	case "0-16":
		return "2"
	case "kind":
		return "BMP"
	case "AE@host:port":
		return "OTHER@localhost:104"
	case "modalities":
		return "CT,MR"
	}
	return "7"
}

// TestEveryFlag gives each flag of each program on its own: a supported one must change
// the options, a refused one must say what to do, and an accepted one changes nothing.
func TestEveryFlag(t *testing.T) {
	for _, e := range programs() {
		for gi, g := range e.make().Groups {
			for fi := range g.Flags {
				for _, name := range g.Flags[fi].Names {
					checkFlag(t, e, gi, fi, name)
				}
			}
		}
	}
}

func checkFlag(t *testing.T, e entry, gi, fi int, name string) {
	p := e.make()
	f := &p.Groups[gi].Flags[fi]
	if p.find(name) != f {
		t.Errorf("%s %s: two flags of one name", e.name, name)
	}
	var values []string
	for _, param := range f.Params {
		v := sample(t, param)
		if name == "-ll" || name == "--log-level" {
			v = "debug"
		}
		values = append(values, v)
	}
	before := fmt.Sprintf("%+v", reflect.ValueOf(p.Options).Elem())
	n, err := p.flag(name, values)
	after := fmt.Sprintf("%+v", reflect.ValueOf(p.Options).Elem())
	switch {
	case err == errHelp || err == errVersion:
	case f.Refuse != "":
		if err == nil || !strings.Contains(err.Error(), f.Refuse) {
			t.Errorf("%s %s: %v", e.name, name, err)
		}
	case err != nil:
		t.Errorf("%s %s: %v", e.name, name, err)
	case n != len(f.Params):
		t.Errorf("%s %s: took %d values", e.name, name, n)
	case f.Set == nil && f.Always == "":
		t.Errorf("%s %s: does nothing and does not say so", e.name, name)
	case f.Always != "" && f.Set != nil:
		t.Errorf("%s %s: is said to be always on, but sets something", e.name, name)
	case f.Set != nil && !f.Same && before == after:
		t.Errorf("%s %s %v: changes nothing", e.name, name, values)
	case f.Same && before != after:
		t.Errorf("%s %s: is said to be the default, but changes something", e.name, name)
	}
}

// TestUsage holds every program to a help with exit codes and examples, and to its code
// for wrong arguments.
func TestUsage(t *testing.T) {
	for _, e := range programs() {
		p := e.make()
		var out, errs bytes.Buffer
		s := &verb.Stdio{In: strings.NewReader(""), Out: &out, Err: &errs}
		if code := p.Main(context.Background(), []string{"--help"}, s); code != p.HelpExit {
			t.Errorf("%s --help: exit %d", p.Name, code)
		}
		for _, want := range []string{"Usage: " + p.Name, "Examples:", "Exit codes:"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s --help has no %q", p.Name, want)
			}
		}
		if len(p.Examples) < 3 {
			t.Errorf("%s: %d examples", p.Name, len(p.Examples))
		}
		if code := e.make().Main(context.Background(), []string{"--no-such-option"}, s); code != p.exitOf(verb.Usage) || !strings.Contains(errs.String(), "--no-such-option") {
			t.Errorf("%s: exit %d, %s", p.Name, code, errs.String())
		}
		for o := verb.Done; o <= verb.Output; o++ {
			if code := p.exitOf(o); (code == 0) != (o == verb.Done) && o != verb.Nothing {
				t.Errorf("%s: outcome %d is exit code %d", p.Name, o, code)
			}
		}
	}
}

func TestExpand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cmd")
	if err := os.WriteFile(file, []byte("-k \"PatientName=DOE, JANE\"\n -v 'a b'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := expand([]string{"x", "@" + file, "y"})
	if want := []string{"x", "-k", "PatientName=DOE, JANE", "-v", "a b", "y"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := expand([]string{"@/no/such/file"}); err == nil {
		t.Error("no error")
	}
	if _, err := split(`a "b`); err == nil {
		t.Error("open quote: no error")
	}
}

// FuzzParse gives every program arguments that make no sense: nothing may panic.
func FuzzParse(f *testing.F) {
	f.Add("-aec X localhost 104")
	f.Add("--tls-version=1.3 +tls a b -k 1=2 -- - @")
	f.Fuzz(func(t *testing.T, line string) {
		args, err := split(strings.ReplaceAll(line, "@", ""))
		if err != nil {
			return
		}
		for _, e := range programs() {
			e.make().Parse(args)
		}
	})
}
