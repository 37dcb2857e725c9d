package server

import "context"

// fillIndex gathers what searches need of the objects that were stored before.
func (s *Server) fillIndex(ctx context.Context) {
	if err := s.archive.index.Fill(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the index could not be completed: some queries are slow or too broad until the next start", "err", err)
	}
}
