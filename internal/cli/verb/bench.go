package verb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bench puts load on a peer and measures how it takes it.
type Bench struct {
	Common
	Peer
	Query
	Kind     string        // see benchKinds, or mixed
	Mix      string        // of mixed: kind=clients,...
	Jobs     int           // clients at a time, each with an association
	Rate     float64       // operations begun in a second; 0: each client as fast as it can
	Think    time.Duration // average pause of a client between two operations
	Duration time.Duration // 0: until Count
	Count    int64         // 0: until Duration
	Warmup   time.Duration // what begins in this time is not measured
	Size     int64         // bytes of pixels of a made-up object
	Modality string        // of a made-up object
	Inputs   []string      // files to send in place of made-up objects
	Fresh    bool          // files get UIDs of their own each time
	From     string        // file of queries
	Dest     string        // C-MOVE destination
	Receive  int           // port that is the destination; 0: it is another's
	Layout   string        // table or json

	grace   time.Duration // how long answers are waited for at the end; default 10 s
	patient string        // begins the names of made-up patients; default BENCH
}

// mostClients bounds the clients of a load.
const mostClients = 1000

// mostRate bounds what begins in a second.
const mostRate = 1e6

// BenchKinds lists what a client can do.
func BenchKinds() string { return "echo, associate, store, find, get, move or mixed" }

// Run puts the load on and prints what came of it. The end of ctx ends it early.
func (o *Bench) Run(ctx context.Context, s *Stdio) error {
	if err := o.checkLoad(); err != nil {
		return err
	}
	if _, err := o.dialer(nil); err != nil {
		return err
	}
	b := &benching{o: o, s: s, ctx: ctx}
	defer b.stop()
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if err := b.run(ctx); err != nil {
		return err
	}
	report := b.report()
	if err := o.print(s.Out, report); err != nil {
		return Fail(Output, "%w", err)
	}
	return report.outcome()
}

// maker makes up the objects of the load.
func (o *Bench) maker() (*maker, error) {
	return newMaker(o.Modality, o.Size, cmp.Or(o.patient, "BENCH"))
}

func (o *Bench) checkLoad() error {
	switch {
	case o.Layout != "table" && o.Layout != "json":
		return Fail(Usage, "format %q: want table or json", o.Layout)
	case o.Jobs < 1 || o.Jobs > mostClients:
		return Fail(Usage, "%d clients: want 1 to %d", o.Jobs, mostClients)
	case !(o.Rate >= 0 && o.Rate <= mostRate):
		return Fail(Usage, "rate %v: want up to %.0f a second, 0 for as fast as it goes", o.Rate, mostRate)
	case o.Duration < 0 || o.Count < 0 || o.Warmup < 0 || o.Think < 0:
		return Fail(Usage, "times and counts are not negative")
	case o.Duration == 0 && o.Count == 0:
		return Fail(Usage, "a duration or a count is wanted")
	case o.Rate > 0 && o.Think > 0:
		return Fail(Usage, "a client that keeps a rate does not pause: give a rate or a time to think")
	case o.Rate > 0 && o.Kind == "mixed":
		return Fail(Usage, "a mixed load has clients that pause, not a rate: use the time to think")
	case o.Fresh && len(o.Inputs) == 0:
		return Fail(Usage, "made-up objects have fresh UIDs anyway; files are wanted")
	case o.Jobs*o.Window > mostClients:
		return Fail(Usage, "%d clients with %d operations each: want up to %d in all", o.Jobs, o.Window, mostClients)
	case o.Receive < 0 || o.Receive > 65535:
		return Fail(Usage, "port %d: want 1 to 65535", o.Receive)
	}
	return nil
}

// mix reads kind=clients,... in the order given.
func (o *Bench) mix() (kinds []string, clients []int, err error) {
	if o.Kind != "mixed" {
		return []string{o.Kind}, []int{o.Jobs}, nil
	}
	all := 0
	for part := range strings.SplitSeq(o.Mix, ",") {
		kind, count, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > mostClients {
			return nil, nil, Fail(Usage, "mix %q: want kind=clients,... as in echo=1,store=2", o.Mix)
		}
		kinds, clients = append(kinds, kind), append(clients, n*o.Jobs)
		if all += n * o.Jobs * max(1, o.Window); all > mostClients || len(kinds) > 20 {
			return nil, nil, Fail(Usage, "mix %q: more than %d clients", o.Mix, mostClients)
		}
	}
	return kinds, clients, nil
}

// prepare makes the loads: what is wrong with them shows before anything is measured.
func (b *benching) prepare(ctx context.Context) error {
	kinds, clients, err := b.o.mix()
	if err != nil {
		return err
	}
	b.kinds = kinds
	for i, kind := range kinds {
		make, ok := benchKinds[kind]
		if !ok {
			return Fail(Usage, "kind %q: want %s", kind, BenchKinds())
		}
		l := &load{name: kind, clients: clients[i]}
		if err := make(b, ctx, l); err != nil {
			var e *Error
			if errors.As(err, &e) {
				return err
			}
			return Fail(Failed, "%s: %w", kind, err)
		}
		if l.dialer, err = b.o.dialer(l.contexts); err != nil {
			return err
		}
		b.loads = append(b.loads, l)
	}
	return nil
}

// describe says what is being done, for the report.
func (b *benching) describe() string {
	if b.o.Rate > 0 {
		return fmt.Sprintf("open, %v a second", b.o.Rate)
	}
	if b.o.Think > 0 {
		return fmt.Sprintf("closed, about %v to think", b.o.Think)
	}
	return "closed"
}
