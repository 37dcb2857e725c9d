package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

func newBench(stdio *Stdio) *cobra.Command {
	o := verb.Bench{Size: 512 << 10}
	c := command("bench PEER [FILE...]", "Put load on a peer and measure it", &cobra.Command{
		Long: `Put load on a peer and measure it: rate, throughput, times, and failures by their status.

The kinds: echo (C-ECHO on a held association), associate (association, C-ECHO, release),
store (made-up objects, or the files named), find, get (what comes is thrown away), move, and
mixed: several kinds of client at once, which pause between what they do.

Without --rate each client goes on as soon as it has its answer (closed loop). With it
operations are due at fixed times, and the time of each counts from when it was due (open
loop): a server that stalls pays for all that had to wait. Times are those of what succeeded.

find, get and move ask for what -k names, for the queries of a file in turn, or, without
either, for the studies that the peer has. Made-up objects are of patients called BENCH and
stay on the peer: do not aim at an archive in clinical use.

Ctrl-C ends it with what was measured until then.

` + peerHelp + "\n\n" + keyHelp,
		Example: `  gantry bench localhost:11112 --kind echo -j 4
  gantry bench PACS@10.0.0.9:104 --kind store --size 2M -j 8 --rate 50 --duration 1m
  gantry bench PACS@10.0.0.9:104 --kind mixed --mix store=2,find=4,get=1 --think 1s --format json`,
		Args: cobra.MinimumNArgs(1),
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if o.Inputs = args[1:]; len(o.Inputs) > 0 && o.Kind != "store" && o.Kind != "mixed" {
			return fail(ExitUsage, "files are for --kind store or mixed")
		}
		if f := c.Flags(); f.Changed("count") && !f.Changed("duration") {
			o.Duration = 0
		}
		if o.Kind == "mixed" && !c.Flags().Changed("think") {
			o.Think = 200 * time.Millisecond
		}
		return calls(stdio, &o.Peer, o.Run)(c, args)
	}
	peerFlags(c, &o.Peer)
	queryFlags(c, &o.Query)
	windowFlag(c, &o.Peer, "operations of a client (echo, store), or objects on their way (get),")
	benchFlags(c, &o)
	return c
}

func benchFlags(c *cobra.Command, o *verb.Bench) {
	f := c.Flags()
	f.StringVar(&o.Kind, "kind", "echo", verb.BenchKinds())
	f.StringVar(&o.Mix, "mix", "echo=1,associate=1,store=2,find=2,get=1", "clients of a mixed load, kind=clients,...")
	f.IntVarP(&o.Jobs, "jobs", "j", 1, "clients at a time, each with an association; of a mixed load so many times --mix")
	f.Float64Var(&o.Rate, "rate", 0, "operations begun in a second by all clients; 0 is as fast as each can")
	f.DurationVar(&o.Think, "think", 0, "average pause of a client between operations; mixed has 200ms")
	f.DurationVar(&o.Duration, "duration", 10*time.Second, "how long to measure")
	f.Int64Var(&o.Count, "count", 0, "how many operations to measure; without --duration however long that takes")
	f.DurationVar(&o.Warmup, "warm-up", 0, "how long to go on before the measure begins")
	f.Var((*byteSize)(&o.Size), "size", "bytes of pixels of a made-up object; K, M and G are 1024 times more each")
	f.StringVar(&o.Modality, "modality", "CT", "modality of made-up objects: "+verb.Modalities())
	f.BoolVar(&o.Fresh, "fresh-uids", false, "send each file as another object every time")
	f.StringVar(&o.From, "keys-from", "", "file of queries to draw from, one a line, as for find --batch")
	f.StringVar(&o.Dest, "dest", "", "AE title that move sends to")
	f.IntVar(&o.Receive, "receive", 0, "port of this machine that --dest is at; 0 is elsewhere")
	f.StringVar(&o.Layout, "format", "table", "table or json")
}

// byteSize is a flag's value.
type byteSize int64

func (b *byteSize) String() string { return strconv.FormatInt(int64(*b), 10) }

func (b *byteSize) Set(s string) error {
	upper := strings.ToUpper(strings.TrimSpace(s))
	digits := strings.TrimRight(upper, "KMGIB")
	shift, ok := map[string]uint{"": 0, "B": 0, "K": 10, "KB": 10, "KIB": 10, "M": 20, "MB": 20, "MIB": 20, "G": 30, "GB": 30, "GIB": 30}[upper[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !ok || n < 0 || n > (1<<62)>>shift {
		return fmt.Errorf("want bytes, such as 65536, 512K or 2M")
	}
	*b = byteSize(n << shift)
	return nil
}

// Type is shown in the help.
func (b *byteSize) Type() string { return "bytes" }
