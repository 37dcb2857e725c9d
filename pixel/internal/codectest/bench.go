package codectest

import (
	"os/exec"
	"testing"
	"time"
)

// PerRun returns the seconds of processor time that f takes, on average. Clocks of that may
// tick slowly, so that f runs many times.
func PerRun(b *testing.B, f func() error) float64 {
	used, runs := time.Duration(0), 0
	for b.Loop() {
		from, at := clock(), time.Now()
		for time.Since(at) < 300*time.Millisecond {
			if err := f(); err != nil {
				b.Fatal(err)
			}
			runs++
		}
		used += clock() - from
	}
	b.ReportMetric(0, "ns/op")
	return used.Seconds() / float64(runs)
}

// Apart is how many seconds of processor time a program takes more in one folder than in
// another, on average of seven runs: starting it does not count.
func Apart(b *testing.B, large, small, program string, args ...string) float64 {
	b.Helper()
	program = Tool(b, program)
	var used time.Duration
	for range 7 {
		for _, dir := range []string{small, large} {
			c := exec.Command(program, args...)
			c.Dir = dir
			if out, err := c.CombinedOutput(); err != nil {
				b.Fatalf("%s %v: %v: %s", program, args, err, out)
			}
			if took := c.ProcessState.UserTime() + c.ProcessState.SystemTime(); dir == large {
				used += took
			} else {
				used -= took
			}
		}
	}
	return used.Seconds() / 7
}
