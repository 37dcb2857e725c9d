package codectest

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock is the processor time of this process.
func clock() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
