package compat

import (
	"testing"

	"gantry/dicomtest"
	"gantry/dimse"
)

// TestIntegrationProgram runs it as the described one is run, against a peer that refuses
// every C-ECHO: the exit code is the number of tests that failed.
func TestIntegrationProgram(t *testing.T) {
	mux := new(dicomtest.Archive).Mux(nil)
	at := "SCP@" + dicomtest.Serve(t, &dimse.Server{Handler: refusing{mux}})
	code, out, _ := run(t, "pacs_integration_e2e", "[connectivity]~[tls]~[dcmtk]", "--peer", at, "--reporter", "compact")
	if code != 5 {
		t.Errorf("%d %s", code, out)
	}
	wants(t, "report", out, "C-ECHO is answered: failed: C-ECHO", "0 passed, 5 failed, 0 skipped")
	if code, out, _ = run(t, "pacs_integration_e2e", "[connectivity]~[tls]~[dcmtk]", "--peer", at, "-a", "-r", "console"); code != 1 {
		t.Errorf("-a: %d %s", code, out)
	}
	code, out, _ = run(t, "pacs_integration_e2e", "--list-tests", "[tls]", "[xa]")
	if code != 0 {
		t.Errorf("--list-tests: %d", code)
	}
	wants(t, "--list-tests", out, "Matching test cases:", "[tls][connectivity]", "[xa]", "6 test cases")
	for want, args := range map[int][]string{2: {"none"}, 255: {"[open"}} {
		if code, _, errs := run(t, "pacs_integration_e2e", args...); code != want {
			t.Errorf("%v: %d %s", args, code, errs)
		}
	}
}

// refusing has all services and fails at C-ECHO.
type refusing struct{ *dimse.ServeMux }

func (r refusing) ServeDIMSE(w dimse.ResponseWriter, q *dimse.Request) {
	if q.Op == dimse.CEcho {
		w.Final(dimse.ProcessingFailure, nil)
		return
	}
	r.ServeMux.ServeDIMSE(w, q)
}
