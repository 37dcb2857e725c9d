package compat

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var helpLine = regexp.MustCompile(`^ +([-+][A-Za-z0-9=]+)? +(--[a-z0-9-]+)( |$)`)

// TestConvertersKnowEveryOption reads the help of DCMTK's own converters: each option there
// is a flag here, under both of its names.
func TestConvertersKnowEveryOption(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dcmconv", "dcmcjpeg", "dcmdjpeg", "dcmcjpls", "dcmdjpls", "dcmcrle", "dcmdrle", "img2dcm", "dcm2pnm", "dcmj2pnm", "dcml2pnm"} {
		p, _ := Lookup(name)
		out, err := exec.Command(dcmtk(t, name), "--help").CombinedOutput()
		if err != nil {
			t.Fatalf("%s --help: %v", name, err)
		}
		n := 0
		for line := range strings.Lines(string(out)) {
			m := helpLine.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			n++
			if f := p.find(m[2]); f == nil || m[1] != "" && p.find(m[1]) != f {
				t.Errorf("%s: %s %s is missing", name, m[1], m[2])
			}
		}
		if n < 30 {
			t.Errorf("%s: only %d options in its help", name, n)
		}
	}
}
