package dimse

import (
	"testing"
	"time"
)

func TestLogLimit(t *testing.T) {
	var l logLimit
	now := time.Unix(1000, 0)
	written := 0
	for range 3 * logsPerSecond {
		if ok, _ := l.allow(now); ok {
			written++
		}
	}
	if written != logsPerSecond {
		t.Errorf("%d lines in one second", written)
	}
	if ok, dropped := l.allow(now.Add(time.Second)); !ok || dropped != 2*logsPerSecond {
		t.Errorf("%v, %d dropped", ok, dropped)
	}
	if ok, dropped := l.allow(now.Add(time.Second)); !ok || dropped != 0 {
		t.Errorf("%v, %d dropped twice", ok, dropped)
	}
}
