package obs

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMetricsText(t *testing.T) {
	m := NewMetrics(time.Now())
	m.Opened()
	m.Opened()
	m.Closed(true)
	m.Operation("C-ECHO", "success", 3*time.Millisecond)
	m.Gauge("gantry_test", "A test.", func() int64 { return 42 })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{
		"gantry_associations_total 2", "gantry_associations_active 1", "gantry_associations_active_peak 2",
		"gantry_associations_aborted_total 1", "gantry_test 42",
		`gantry_dimse_operation_duration_seconds_bucket{operation="C-ECHO",status="success",le="0.005"} 1`,
	} {
		if !strings.Contains(w.Body.String(), want+"\n") {
			t.Errorf("missing %s", want)
		}
	}
}

func TestHealthIsTheWorstOfItsChecks(t *testing.T) {
	now := time.Now()
	runs := 0
	h := &Health{Interval: time.Second, Now: func() time.Time { return now }}
	h.Add("database", func(context.Context) Finding { runs++; return Finding{Level: Healthy} })
	h.Add("storage", func(context.Context) Finding { return Space(3, 100) })
	for range 3 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/health", nil))
		if w.Code != 503 || !strings.Contains(w.Body.String(), `"storage":{"status":"unhealthy"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if runs != 1 {
		t.Errorf("checks ran %d times within the interval", runs)
	}
	now = now.Add(2 * time.Second)
	h.Report(context.Background())
	if runs != 2 {
		t.Errorf("checks ran %d times, want 2", runs)
	}
}

func TestSpace(t *testing.T) {
	for free, want := range map[int64]Level{50: Healthy, 21: Healthy, 20: Degraded, 6: Degraded, 5: Unhealthy, 0: Unhealthy} {
		if got := Space(free, 100); got.Level != want {
			t.Errorf("%d %% free: %v", free, got)
		}
	}
}

func TestLogLevelAndFileChangeInUse(t *testing.T) {
	var console bytes.Buffer
	name := filepath.Join(t.TempDir(), "logs", "a.log")
	l, err := NewLog(&console, name, "warning")
	if err != nil {
		t.Fatal(err)
	}
	l.Info("one")
	l.SetLevel("trace")
	l.Trace("two")
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(name); err != nil {
		t.Fatal(err)
	}
	l.Error("three")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(name + ".1")
	second, _ := os.ReadFile(name)
	if got := console.String(); strings.Contains(got, "one") || !strings.Contains(got, "level=TRACE msg=two") {
		t.Errorf("console: %s", got)
	}
	if !strings.Contains(string(first), "two") || !strings.Contains(string(second), "three") || strings.Contains(string(second), "two") {
		t.Errorf("files: %s / %s", first, second)
	}
}
