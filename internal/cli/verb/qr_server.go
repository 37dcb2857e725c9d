package verb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"gantry/dimse"
	"gantry/internal/front/dimsefront"
	"gantry/service/query"
	"gantry/service/retrieve"
	"gantry/service/verify"
)

// QRServer answers queries and retrievals (PS3.4 annex C) from files in a folder.
type QRServer struct {
	Listen
	Dir      string
	Index    string            // index file; empty: in memory
	Peers    map[string]string // where C-MOVE may send to: host:port by AE title
	ScanOnly bool

	finds, moves, gets, sent atomic.Int64
}

// AddPeer adds a destination, AE:host:port.
func (o *QRServer) AddPeer(v []string) error {
	ae, addr, ok := strings.Cut(v[0], ":")
	if _, _, err := net.SplitHostPort(addr); !ok || err != nil {
		return fmt.Errorf("%q: want AE:host:port", v[0])
	}
	if err := dimse.AETitle(ae).Check(); err != nil {
		return err
	}
	if o.Peers == nil {
		o.Peers = map[string]string{}
	}
	o.Peers[ae] = addr
	return nil
}

// Run reads the folder and serves until it is told to stop.
func (o *QRServer) Run(ctx context.Context, s *Stdio) error {
	st, err := os.Stat(o.Dir)
	if err == nil && !st.IsDir() {
		err = errors.New("is no folder")
	}
	if err != nil {
		return Fail(NoInput, "folder of objects: %w", err)
	}
	c, err := openCatalog(ctx, o.Index)
	if err != nil {
		return Fail(Output, "index: %w", err)
	}
	defer c.close()
	if err := o.scan(ctx, s, c); err != nil || o.ScanOnly {
		return err
	}
	started := time.Now()
	server, err := o.serve(ctx, s, o.mux(c), &dimse.Trace{Operation: o.count})
	o.statistics(s, server, started, stat{"Queries Processed", o.finds.Load()}, stat{"C-MOVE Operations", o.moves.Load()},
		stat{"C-GET Operations", o.gets.Load()}, stat{"Images Transferred", o.sent.Load()})
	return err
}

// scanned is how often the scan reports.
const scanned = 100

// scan indexes the folder anew.
func (o *QRServer) scan(ctx context.Context, s *Stdio, c *catalog) error {
	if err := c.Reset(ctx); err != nil {
		return Fail(Output, "index: %w", err)
	}
	n, bad := 0, 0
	err := c.scan(ctx, o.Dir, func(name string, err error) {
		if err != nil {
			bad++
			o.says(s, Verbose, "%s: %v", name, err)
			return
		}
		if n++; n%scanned == 0 && o.Say > Quiet {
			fmt.Fprintf(s.Out, "Indexed %d files\n", n)
		}
	})
	if err != nil {
		return Fail(Failed, "scan: %w", err)
	}
	if o.Say > Quiet {
		fmt.Fprintf(s.Out, "Indexed %d files in total, left out %d\n", n, bad)
	}
	if n == 0 {
		o.says(s, Normal, "warning: no DICOM file in %s", o.Dir)
	}
	return nil
}

func (o *QRServer) mux(c *catalog) *dimse.ServeMux {
	front := &dimsefront.Front{AETitle: o.Title, Index: c, Objects: c}
	mux := new(dimse.ServeMux)
	verify.Register(mux)
	options := query.Options{Relational: true, DateTime: true, Lenient: true}
	query.Register(mux, front, options)
	retrieving := retrieve.Options{Query: options}
	counted := retrieve.RetrieverFunc(func(ctx context.Context, q *query.Query) (*retrieve.Retrieval, error) {
		return o.counted(front.Retrieve(ctx, q))
	})
	retrieve.RegisterGet(mux, counted, retrieving)
	retrieve.RegisterMove(mux, counted, retrieve.ResolverFunc(o.resolve), retrieving)
	return mux
}

// counted counts what is sent.
func (o *QRServer) counted(r *retrieve.Retrieval, err error) (*retrieve.Retrieval, error) {
	if err != nil {
		return nil, err
	}
	each := r.Instances
	r.Instances = func(yield func(*dimse.Outgoing, error) bool) {
		for out, err := range each {
			more := yield(out, err)
			if err == nil {
				o.sent.Add(1)
			}
			if !more {
				return
			}
		}
	}
	return r, nil
}

func (o *QRServer) count(_ *dimse.Peer, sum dimse.OperationSummary) {
	switch sum.Op {
	case dimse.CFind:
		o.finds.Add(1)
	case dimse.CMove:
		o.moves.Add(1)
	case dimse.CGet:
		o.gets.Add(1)
	}
}

func (o *QRServer) resolve(_ context.Context, _ *dimse.Request, dest dimse.AETitle) (*retrieve.Destination, error) {
	addr, ok := o.Peers[strings.TrimSpace(string(dest))]
	if !ok {
		return nil, retrieve.ErrUnknownDestination
	}
	return &retrieve.Destination{Called: dest, Addr: addr, Dialer: dimse.Dialer{Calling: dimse.AETitle(o.Title)}}, nil
}
