//go:build unix

package interop

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/config"
	gantryserver "gantry/internal/server"
)

// most is how much a server and its client, both in this process, may allocate for one
// operation. What an operation takes in time depends on the machine and on who else is at
// work there; what it allocates does not, and much of it is what makes it slow. A figure that
// is far below its bound is one to be lowered.
var most = []struct {
	name           string
	allocs, kbytes float64
	do             func(testing.TB, *dimse.Assoc, ctBytes)
}{
	{"echo", 9, 1, func(t testing.TB, a *dimse.Assoc, _ ctBytes) {
		if err := a.Echo(t.Context()); err != nil {
			t.Fatal(err)
		}
	}},
	{"store of 512 KiB", 380, 60, func(t testing.TB, a *dimse.Assoc, ct ctBytes) {
		if status, err := a.Store(t.Context(), ct.outgoing()); err != nil || status != dimse.Success {
			t.Fatal(status, err)
		}
	}},
	{"find by patient ID", 110, 12, func(t testing.TB, a *dimse.Assoc, _ ctBytes) {
		if n := len(answers(t, a, map[tag.Tag]string{tag.PatientID: "P0007"})); n != 1 {
			t.Fatal(n)
		}
	}},
	{"get of 512 KiB", 290, 28, func(t testing.TB, a *dimse.Assoc, _ ctBytes) {
		got := 0
		take := dimse.StorerFunc(func(_ context.Context, in *dimse.Incoming) error {
			got++
			_, err := io.Copy(io.Discard, in.Body)
			return err
		})
		q := studyQuery(t, map[tag.Tag]string{tag.StudyInstanceUID: string(study1(9).study)})
		for _, err := range a.Get(t.Context(), uid.StudyRootQueryRetrieveInformationModelGet, q, take) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got != 1 {
			t.Fatal(got)
		}
	}},
}

// within serves an archive within this process and returns an association with it.
func within(t testing.TB) *dimse.Assoc {
	t.Helper()
	c := config.Default()
	c.Storage.Directory, c.HTTP.Address = t.TempDir(), ""
	c.Server.Port, c.Logging.Level = freePort(t), "error"
	s, err := gantryserver.New(t.Context(), c, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	storage := ctContext
	storage.SCP = true
	a := contender{name: "gantry", aet: c.Server.AETitle, port: c.Server.Port}.dial(t, dimse.Context{Class: uid.Verification}, storage, studyContext,
		dimse.Context{Class: uid.StudyRootQueryRetrieveInformationModelGet, Syntaxes: studyContext.Syntaxes})
	t.Cleanup(func() { a.Abort(); cancel(); <-done })
	for _, k := range []int{7, 9} {
		most[1].do(t, a, newCT(t, k))
	}
	return a
}

// TestAllocations holds the paths of C-ECHO, C-STORE, C-FIND and C-GET to what they allocate.
func TestAllocations(t *testing.T) {
	a, ct := within(t), newCT(t, 8)
	for _, m := range most {
		for range 20 { // buffers are made and plans prepared
			m.do(t, a, ct)
		}
		const n = 200
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			m.do(t, a, ct)
		}
		runtime.ReadMemStats(&after)
		allocs, kbytes := float64(after.Mallocs-before.Mallocs)/n, float64(after.TotalAlloc-before.TotalAlloc)/n/1024
		t.Logf("%s: %.0f allocations, %.1f KiB", m.name, allocs, kbytes)
		if allocs > m.allocs || kbytes > m.kbytes {
			t.Errorf("%s: %.0f allocations of %.1f KiB in all, at most %.0f of %.0f", m.name, allocs, kbytes, m.allocs, m.kbytes)
		}
	}
}

// BenchmarkPaths runs the same for profiles, which docs/performance.md tells of.
func BenchmarkPaths(b *testing.B) {
	a, ct := within(b), newCT(b, 8)
	for _, m := range most {
		b.Run(strings.ReplaceAll(m.name, " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.do(b, a, ct)
			}
		})
	}
}
