package verb

import (
	"context"
	"errors"
	"net"
	"time"

	"gantry/dimse"
	"gantry/ul"
)

// Term asks a server of DCMTK's kind to end, by proposing its private SOP class.
type Term struct {
	Common
	Peer
}

// Run asks. A server that obeys refuses the association and listens no more.
func (o *Term) Run(ctx context.Context, s *Stdio) error {
	o.says(s, Verbose, "Requesting Association")
	a, err := o.dial(ctx, []dimse.Context{{Class: ShutdownClass}})
	var rejected *dimse.RejectedError
	switch {
	case errors.As(err, &rejected) && rejected.Source == ul.RejectByUser && rejected.Reason == ul.NoReason:
		o.says(s, Verbose, "The server refused the association")
		return o.gone(ctx)
	case err != nil:
		return err
	}
	o.says(s, Verbose, "Association Accepted")
	o.negotiated(s, a, []dimse.Context{{Class: ShutdownClass}})
	release(ctx, a)
	return o.gone(ctx)
}

// gone waits for the server to listen no more: a refusal alone does not tell.
func (o *Term) gone(ctx context.Context) error {
	for range 30 {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", o.Addr)
		if err != nil {
			return ctx.Err()
		}
		c.Close()
		if err := pause(ctx, time.Second/10); err != nil {
			return err
		}
	}
	return Fail(Failed, "%s at %s does not take orders to shut down; dcmqrscp does with --allow-shutdown", o.Called, o.Addr)
}
