package server

import (
	"context"
	"fmt"
	"time"

	"gantry/internal/config"
	"gantry/internal/obs"
	"gantry/internal/vfs"
)

// newHealth looks at the index, the object store, the disk and the associations.
func (s *Server) newHealth(c *config.Config) *obs.Health {
	h := &obs.Health{Interval: c.Monitoring.HealthInterval, Now: time.Now}
	h.Add("database", func(ctx context.Context) obs.Finding {
		if _, err := s.archive.index.State(ctx); err != nil {
			return obs.Finding{Level: obs.Unhealthy, Message: "the index cannot be read"}
		}
		return obs.Finding{Level: obs.Healthy}
	})
	h.Add("storage", func(context.Context) obs.Finding {
		if err := s.archive.ingest.Healthy(); err != nil {
			return obs.Finding{Level: obs.Unhealthy, Message: "nothing can be stored: see the log"}
		}
		room, err := vfs.OS{}.Space(s.archive.dir)
		if err != nil {
			return obs.Finding{Level: obs.Degraded, Message: "free space is not known"}
		}
		return obs.Space(room.Free, room.Total)
	})
	h.Add("objects", s.damageHealth)
	h.Add("associations", func(context.Context) obs.Finding {
		active := s.metrics.Active.Load()
		f := obs.Finding{Level: obs.Healthy, Message: fmt.Sprintf("%d of %d", active, c.Server.MaxAssociations)}
		if active*10 >= int64(c.Server.MaxAssociations)*9 {
			f.Level = obs.Degraded
		}
		return f
	})
	return h
}
