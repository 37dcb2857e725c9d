package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicomtest"
)

// TestResultsAsJSON reads what the verbs without answers of their own say came of them.
func TestResultsAsJSON(t *testing.T) {
	_, at := peer(t, dicomtest.Object{N: 1}, dicomtest.Object{N: 2})
	dir := filepath.Join(t.TempDir(), "in")
	for _, c := range []struct {
		args []string
		key  string
		want float64
	}{
		{[]string{"get", at, "-k", "StudyInstanceUID=" + string(dicomtest.Study(1)), "--dir", dir}, "completed", 2},
		{[]string{"store", at, dir}, "sent", 2},
		{[]string{"echo", at, "--repeat", "3"}, "answered", 3},
	} {
		code, out, errs := run(t, append(c.args, "--format", "json")...)
		var got map[string]any
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != ExitOK || got[c.key] != c.want {
			t.Errorf("%v: %d %s %s %v", c.args, code, out, errs, err)
		}
	}
	if code, _, errs := run(t, "echo", at, "--format", "png"); code != ExitUsage || !strings.Contains(errs, "text or json") {
		t.Errorf("%d %s", code, errs)
	}
}
