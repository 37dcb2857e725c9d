//go:build !linux

package codectest

import "time"

var start = time.Now()

// clock is the time that has passed: the processor's is not at hand.
func clock() time.Duration { return time.Since(start) }
