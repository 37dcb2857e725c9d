package codectest

import (
	"os/exec"
	"testing"
	"time"
)

// Fastest measures f, which handles so many bytes, and returns the seconds of processor time
// of its fastest run.
func Fastest(b *testing.B, size int, f func() error) float64 {
	b.SetBytes(int64(size))
	best := time.Hour
	for b.Loop() {
		at := clock()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		best = min(best, clock()-at)
	}
	return best.Seconds()
}

// Apart is how many seconds of processor time a program takes more in one folder than in
// another, the least of seven runs each: starting it does not count.
func Apart(b *testing.B, large, small, program string, args ...string) float64 {
	b.Helper()
	program = Tool(b, program)
	least := func(dir string) time.Duration {
		best := time.Hour
		for range 7 {
			c := exec.Command(program, args...)
			c.Dir = dir
			if out, err := c.CombinedOutput(); err != nil {
				b.Fatalf("%s %v: %v: %s", program, args, err, out)
			}
			best = min(best, c.ProcessState.UserTime()+c.ProcessState.SystemTime())
		}
		return best
	}
	return (least(large) - least(small)).Seconds()
}
