//go:build !linux

package ul

// setQuickAck is nil: other systems have no such option.
var setQuickAck func(fd uintptr)
