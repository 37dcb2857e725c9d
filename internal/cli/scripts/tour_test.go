//go:build unix

package scripts

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// tour STUDY: runs the lines of the README's tour in one shell that stops at the first
// that fails. DCMTK's tools are meant by its names.
func tour(ts *testscript.TestScript, neg bool, args []string) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	ts.Check(err)
	_, text, ok := strings.Cut(string(readme), "\n## A tour")
	text, _, end := strings.Cut(text, "\n## ")
	if !ok || !end || len(args) != 1 {
		ts.Fatalf("the README has no tour, or no study is named")
	}
	replace := strings.NewReplacer("localhost 11112", "localhost "+ts.Getenv("DICOM"), "GANTRY@localhost", "GANTRY@localhost:"+ts.Getenv("DICOM"),
		"127.0.0.1:8042", "127.0.0.1:"+ts.Getenv("HTTP"), "bin/gantry", "gantry", "UID=1.2.3", "UID="+args[0])
	var lines []string
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			lines = append(lines, dcmtkByPath(replace.Replace(command)))
		}
	}
	if len(lines) < 10 {
		ts.Fatalf("only %d lines in the tour", len(lines))
	}
	ts.Check(ts.Exec("sh", "-ec", strings.Join(lines, "")))
}

func dcmtkByPath(command string) string {
	for _, name := range []string{"echoscu", "storescu", "findscu", "getscu"} {
		if strings.HasPrefix(command, name) {
			return "/usr/bin/" + command
		}
	}
	return command
}
