package dimse

import (
	"sync"
	"time"
)

// logsPerSecond caps the lines about connections that come to nothing, which anybody who
// reaches the port can cause.
const logsPerSecond = 20

// logLimit counts such lines. The zero value is ready for use.
type logLimit struct {
	mu      sync.Mutex
	second  int64
	lines   int
	dropped int
}

// allow reports whether one more line may be written at now, and how many were dropped
// since the last one that was.
func (l *logLimit) allow(now time.Time) (ok bool, dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := now.Unix(); s != l.second {
		l.second, l.lines = s, 0
	}
	if l.lines++; l.lines > logsPerSecond {
		l.dropped++
		return false, 0
	}
	dropped, l.dropped = l.dropped, 0
	return true, dropped
}

// warn logs a line that strangers can cause.
func (s *Server) warn(msg string, args ...any) {
	ok, dropped := s.logLimit.allow(time.Now())
	if !ok {
		return
	}
	if dropped > 0 {
		args = append(args, "lines_dropped_before", dropped)
	}
	s.log().Warn(msg, args...)
}
