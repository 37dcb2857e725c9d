package verb

import (
	"context"
	"fmt"
	"time"

	"gantry/dicom/uid"
	"gantry/dimse"
)

// Echo asks a peer whether it is there (C-ECHO, PS3.4 annex A).
type Echo struct {
	Common
	Peer
	Repeat   int
	Delay    time.Duration
	Syntaxes int  // transfer syntaxes to propose, 0 for the usual
	Contexts int  // how often the context is proposed, 0 for once
	Abort    bool // end by A-ABORT
}

// echoes is what came of it.
type echoes struct {
	ok, failed          int
	shortest, longest   time.Duration
	total               time.Duration
	associated, overall time.Duration
}

// Run asks Repeat times on one association.
func (o *Echo) Run(ctx context.Context, s *Stdio) error {
	start := time.Now()
	o.tell(s, "Requesting Association with %s at %s", o.Called, o.Addr)
	contexts := o.contexts()
	a, err := o.dial(ctx, contexts)
	if err != nil {
		return err
	}
	defer a.Abort()
	r := echoes{associated: time.Since(start)}
	o.tell(s, "Association Accepted")
	o.negotiated(s, a, contexts)
	for i := range o.Repeat {
		if i > 0 && pause(ctx, o.Delay) != nil {
			break
		}
		if err := o.once(ctx, s, a, i+1, &r); err != nil {
			r.failed++
			o.says(s, Normal, "C-ECHO to %s at %s: %v", o.Called, o.Addr, err)
			if a.Err() != nil {
				break
			}
		}
	}
	o.end(ctx, s, a)
	r.overall = time.Since(start)
	r.failed = o.Repeat - r.ok
	o.summary(s, &r)
	switch {
	case r.failed == 0:
		return nil
	case r.ok > 0:
		return Ended(Partial)
	}
	return Ended(Failed)
}

func (o *Echo) contexts() []dimse.Context {
	c := dimse.Context{Class: uid.Verification}
	if o.Syntaxes > 0 {
		c.Syntaxes = someSyntaxes(o.Syntaxes)
	}
	out := []dimse.Context{c}
	for len(out) < o.Contexts {
		out = append(out, c)
	}
	return out
}

// someSyntaxes are n transfer syntaxes, those that every peer knows first.
func someSyntaxes(n int) []uid.UID {
	out := []uid.UID{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian}
	for u := range uid.All() {
		if _, ok := u.SyntaxInfo(); ok && u != out[0] && u != out[1] && u != out[2] {
			out = append(out, u)
		}
	}
	return out[:min(n, len(out))]
}

func (o *Echo) once(ctx context.Context, s *Stdio, a *dimse.Assoc, n int, r *echoes) error {
	o.tell(s, "Sending Echo Request (Message %d)", n)
	start := time.Now()
	if err := a.Echo(ctx); err != nil {
		return err
	}
	d := time.Since(start)
	if r.ok++; r.ok == 1 || d < r.shortest {
		r.shortest = d
	}
	r.longest = max(r.longest, d)
	r.total += d
	if o.Form == Modern && !o.JSON {
		fmt.Fprintf(s.Out, "%s at %s answers, %v\n", o.Called, o.Addr, d.Round(time.Microsecond))
		return nil
	}
	o.tell(s, "Received Echo Response (Status: 0x0000 - Success)")
	return nil
}

func (o *Echo) end(ctx context.Context, s *Stdio, a *dimse.Assoc) {
	if o.Abort {
		o.tell(s, "Aborting Association")
		a.Abort()
		return
	}
	o.tell(s, "Releasing Association")
	release(ctx, a)
}

// tell reports a step: the described tool always does, the others when asked to.
func (o *Echo) tell(s *Stdio, format string, args ...any) {
	if o.Form == Described && o.Say >= Normal {
		fmt.Fprintf(s.Out, format+"\n", args...)
		return
	}
	o.says(s, Verbose, format, args...)
}

func (o *Echo) summary(s *Stdio, r *echoes) {
	if o.JSON {
		outcomeJSON(s.Out, map[string]any{"answered": r.ok, "failed": r.failed, "associationMilliseconds": milliseconds(r.associated),
			"minMilliseconds": milliseconds(r.shortest), "maxMilliseconds": milliseconds(r.longest)})
	}
	if o.Form != Described || o.Say < Normal {
		return
	}
	if o.Say >= Verbose {
		fmt.Fprintf(s.Out, "Association time: %.2f ms\nEcho time: %.2f ms\nTotal time: %.2f ms\n",
			milliseconds(r.associated), milliseconds(r.total), milliseconds(r.overall))
	}
	if o.Repeat > 1 {
		fmt.Fprintf(s.Out, "\nSummary\n  Total echoes:   %d\n  Successful:     %d\n  Failed:         %d\n  Success rate:   %.1f%%\n",
			o.Repeat, r.ok, r.failed, 100*float64(r.ok)/float64(o.Repeat))
		average := time.Duration(0)
		if r.ok > 0 {
			average = r.total / time.Duration(r.ok)
		}
		fmt.Fprintf(s.Out, "  Min / Max / Avg: %.2f / %.2f / %.2f ms\n  Status:         %s\n",
			milliseconds(r.shortest), milliseconds(r.longest), milliseconds(average), status(r))
		return
	}
	if r.failed == 0 {
		fmt.Fprintln(s.Out, "Echo Successful")
	}
}

func status(r *echoes) string {
	switch {
	case r.failed == 0:
		return "SUCCESS"
	case r.ok > 0:
		return "PARTIAL FAILURE"
	}
	return "FAILURE"
}
