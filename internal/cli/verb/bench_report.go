package verb

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// benchReport is what came of a load, as it is printed by --format json.
type benchReport struct {
	Peer        string      `json:"peer"`
	Loop        string      `json:"loop"`
	Seconds     float64     `json:"seconds"` // measured
	Interrupted bool        `json:"interrupted"`
	Kinds       []benchKind `json:"kinds"`
}

// benchKind is a row.
type benchKind struct {
	Kind     string        `json:"kind"`
	Clients  int           `json:"clients"`
	Done     int64         `json:"done"`
	Failed   int64         `json:"failed"`
	Rate     float64       `json:"per_second"`
	MB       float64       `json:"mb_per_second"`
	Latency  benchLatency  `json:"latency_ms"` // of what was done
	Failures []benchReason `json:"failures"`
}

type benchLatency struct {
	Min  float64 `json:"min"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

type benchReason struct {
	Reason  string `json:"reason"`
	Count   int64  `json:"count"`
	Example string `json:"example"`
}

func (b *benching) report() *benchReport {
	d := b.ended.Sub(b.from)
	r := &benchReport{Peer: string(b.o.Called) + "@" + b.o.Addr, Loop: b.describe(), Seconds: max(0, d.Seconds()), Interrupted: b.ctx.Err() != nil}
	all := &load{name: "all"}
	for _, l := range b.loads {
		if l.beside != nil {
			l.total.bytes += l.beside() - atomic.LoadInt64(&l.before)
		}
		r.Kinds = append(r.Kinds, l.row(d))
		all.clients += l.clients
		all.total.add(&l.total)
	}
	if len(b.loads) > 1 {
		row := all.row(d)
		row.Failures = nil // they stand with their kinds
		r.Kinds = append(r.Kinds, row)
	}
	return r
}

func (l *load) row(d time.Duration) benchKind {
	t := &l.total
	out := benchKind{Kind: l.name, Clients: l.clients, Done: t.n, Failed: t.failed, MB: rate(t.bytes, d), Latency: benchLatency{
		Min: milliseconds(t.least), Mean: milliseconds(t.mean()), P50: milliseconds(t.quantile(0.5)), P90: milliseconds(t.quantile(0.9)),
		P99: milliseconds(t.quantile(0.99)), P999: milliseconds(t.quantile(0.999)), Max: milliseconds(t.most),
	}}
	if d > 0 {
		out.Rate = float64(t.n) / d.Seconds()
	}
	for _, name := range slices.Sorted(maps.Keys(t.reasons)) {
		out.Failures = append(out.Failures, benchReason{name, t.reasons[name].n, t.reasons[name].example})
	}
	slices.SortStableFunc(out.Failures, func(a, b benchReason) int { return cmp.Compare(b.Count, a.Count) })
	return out
}

func (o *Bench) print(w io.Writer, r *benchReport) error {
	if o.Layout == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	how := ""
	if r.Interrupted {
		how = ", interrupted"
	}
	fmt.Fprintf(w, "%s, %s loop, %.1f s%s\n\n", r.Peer, r.Loop, r.Seconds, how)
	fmt.Fprintf(w, "%-10s %7s %9s %7s %10s %9s  %9s %9s %9s %9s %9s\n", "kind", "clients", "done", "failed", "per s", "MB/s", "p50 ms", "p90", "p99", "p99.9", "max")
	for _, k := range r.Kinds {
		l := k.Latency
		fmt.Fprintf(w, "%-10s %7d %9d %7d %10.1f %9.2f  %9.3f %9.3f %9.3f %9.3f %9.3f\n", k.Kind, k.Clients, k.Done, k.Failed, k.Rate, k.MB, l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	for _, k := range r.Kinds {
		for _, f := range k.Failures {
			fmt.Fprintf(w, "\n%d %s failed: %s\n  such as: %s\n", f.Count, k.Kind, f.Reason, f.Example)
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}

func (r *benchReport) outcome() error {
	var done, failed int64
	for _, k := range r.Kinds {
		done, failed = done+k.Done, failed+k.Failed
	}
	switch {
	case failed == 0 && (done > 0 || r.Interrupted):
		return nil
	case failed == 0:
		return Fail(Nothing, "nothing was done in the time measured: give it longer")
	case done > 0:
		return Ended(Partial)
	}
	return Ended(Failed)
}
