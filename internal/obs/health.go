package obs

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Level is how well a part is.
type Level string

// The levels, from best to worst.
const (
	Healthy   Level = "healthy"
	Degraded  Level = "degraded"
	Unhealthy Level = "unhealthy"
)

func (l Level) rank() int {
	switch l {
	case Healthy:
		return 0
	case Degraded:
		return 1
	}
	return 2
}

// Finding is what one check found.
type Finding struct {
	Level   Level  `json:"status"`
	Message string `json:"message,omitempty"`
}

// Check looks at one part of the server. It must end when its context does.
type Check func(context.Context) Finding

// Health runs checks, and remembers what they found so that a curious client cannot make
// them run more often than every Interval. It is safe for concurrent use.
type Health struct {
	Interval time.Duration
	Now      func() time.Time

	mu     sync.Mutex
	names  []string
	checks map[string]Check
	last   Report
	at     time.Time
}

// Report is the state of the whole.
type Report struct {
	Level  Level              `json:"status"`
	Time   time.Time          `json:"timestamp"`
	Checks map[string]Finding `json:"components"`
}

// Add adds a check. All are added before the first Report.
func (h *Health) Add(name string, c Check) {
	if h.checks == nil {
		h.checks = map[string]Check{}
	}
	h.names = append(h.names, name)
	h.checks[name] = c
}

const checkTimeout = 5 * time.Second

// Report returns the state, looked at no longer than Interval ago.
func (h *Health) Report(ctx context.Context) Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.Now()
	if h.last.Checks != nil && now.Sub(h.at) < h.Interval && now.Sub(h.at) >= 0 {
		return h.last
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	r := Report{Level: Healthy, Time: now.UTC(), Checks: map[string]Finding{}}
	for _, name := range h.names {
		f := h.checks[name](ctx)
		r.Checks[name] = f
		if f.Level.rank() > r.Level.rank() {
			r.Level = f.Level
		}
	}
	h.last, h.at = r, now
	return r
}

// ServeHTTP answers with the Report as JSON, with status 503 when something is unhealthy.
func (h *Health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	report := h.Report(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if report.Level == Unhealthy {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	json.NewEncoder(w).Encode(report)
}

// Space judges how full a file system is: degraded from 80 %, unhealthy from 95 %.
func Space(free, total int64) Finding {
	if total <= 0 {
		return Finding{Degraded, "size of the file system unknown"}
	}
	used := 100 - int(free*100/total)
	f := Finding{Level: Healthy}
	switch {
	case used >= 95:
		f = Finding{Unhealthy, "storage almost full: add space or delete studies"}
	case used >= 80:
		f = Finding{Degraded, "storage filling up"}
	}
	return f
}
