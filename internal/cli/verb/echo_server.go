package verb

import (
	"context"
	"time"

	"gantry/dimse"
	"gantry/service/verify"
)

// EchoServer answers C-ECHO (PS3.4 annex A).
type EchoServer struct{ Listen }

// Run serves until it is told to stop.
func (o *EchoServer) Run(ctx context.Context, s *Stdio) error {
	mux := new(dimse.ServeMux)
	verify.Register(mux)
	started := time.Now()
	server, err := o.serve(ctx, s, mux, nil)
	o.statistics(s, server, started)
	return err
}
