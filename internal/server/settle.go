package server

import (
	"context"

	"gantry/internal/archive/settle"
	"gantry/internal/config"
)

// newSettle tells of complete studies: in the log and as metrics.
func (s *Server) newSettle(c *config.Config) *settle.Watcher {
	w := &settle.Watcher{Index: s.archive.index, Quiet: c.Archive.Settle, Settled: s.settled, Log: s.log.Logger}
	s.metrics.Counter("gantry_studies_settled_total", "Studies that were complete, each time anew when something came late.", &w.Events)
	s.metrics.Counter("gantry_studies_settled_late_total", "Of these, the ones to which something came late.", &w.Late)
	s.metrics.Gauge("gantry_studies_open", "Studies of which something came and that are not complete yet.", w.Open.Load)
	return w
}

func (s *Server) settled(_ context.Context, e settle.Event) error {
	s.log.Info("study is complete", "study", e.Study, "series", e.Series, "instances", e.Instances, "arrived", e.Arrived, "late", e.Late, "feed", e.Feed)
	return nil
}
