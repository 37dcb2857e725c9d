package verb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/front/dimsefront"
	"gantry/service/query"
	"gantry/service/retrieve"
	"gantry/service/storage"
	"gantry/service/verify"
	"gantry/ul"
)

// DCMQRServer is an archive of several AE titles, each a folder of files, as DCMTK's
// dcmqrscp is configured.
type DCMQRServer struct {
	Listen
	Config        string
	PDU           int // longest PDU, over the configuration's; 0: that
	DisableGet    bool
	AllowShutdown bool
	MoveSameTitle bool // move only to the caller
	MoveSameHost  bool // move only to the caller's host
	Ignore        bool
	NoPatient     bool // no Patient Root model
	NoStudy       bool // no Study Root model
	NoPatientOnly bool // no Patient/Study Only model

	areas map[string]*area
	hosts map[string][]qrPeer
}

// ShutdownClass is DCMTK's private SOP class: to propose it tells a server to end.
const ShutdownClass uid.UID = "1.2.276.0.7230010.3.4.1915765545.18030.917282194.0"

// area is the archive of one AE title.
type area struct {
	qrArea
	folder  Folder
	catalog *catalog
	front   *dimsefront.Front
	mu      sync.Mutex
	studies map[uid.UID]int64 // bytes
}

// Run serves until it is told to stop.
func (o *DCMQRServer) Run(ctx context.Context, s *Stdio) error {
	c, err := readQRConfig(o.Config)
	if err != nil {
		return Fail(Usage, "%w", err)
	}
	if o.Port == 0 {
		o.Port = c.Port
	}
	o.MaxPDU, o.MaxAssoc, o.hosts = uint32(c.MaxPDU), c.MaxAssoc, c.Hosts
	if o.PDU > 0 {
		o.MaxPDU = uint32(o.PDU)
	}
	o.Title = c.Areas[0].Title
	o.areas = map[string]*area{}
	for _, a := range c.Areas {
		if err := dimse.AETitle(a.Title).Check(); err != nil {
			return Fail(Usage, "%s: AE title %q: %w", o.Config, a.Title, err)
		}
		if err := o.open(ctx, s, a); err != nil {
			return err
		}
		defer o.areas[a.Title].catalog.close()
		o.AlsoCalled = append(o.AlsoCalled, dimse.AETitle(a.Title))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o.judge = func(p *dimse.Proposal) error { return o.judged(s, stop, p) }
	_, err = o.serve(ctx, s, o.mux(), nil)
	return err
}

// open reads the folder of an AE title.
func (o *DCMQRServer) open(ctx context.Context, s *Stdio, q qrArea) error {
	c, err := openCatalog(ctx, "")
	if err != nil {
		return Fail(Output, "index: %w", err)
	}
	a := &area{qrArea: q, catalog: c, studies: map[uid.UID]int64{}}
	a.folder = Folder{Dir: q.Dir, MustExist: true, Naming: ByModality, Extension: "-", Twice: Replace, Ignore: o.Ignore}
	a.folder.kept = append(a.folder.kept, func(ctx context.Context, name string, _ *dimse.Incoming) error { return a.add(ctx, name) })
	a.folder.room = a.room
	if err := a.folder.prepare(); err != nil {
		return Fail(Output, "AE title %s: %w", q.Title, err)
	}
	err = walkFiles(ctx, q.Dir, func(name string, err error) {
		if err == nil {
			err = a.add(ctx, name)
		}
		if err != nil {
			o.says(s, Debug, "%s: %v", name, err)
		}
	})
	if err != nil {
		return Fail(Failed, "AE title %s: %w", q.Title, err)
	}
	a.front = &dimsefront.Front{AETitle: q.Title, Index: c, Objects: c}
	o.areas[q.Title] = a
	return nil
}

// add indexes a file and counts its bytes.
func (a *area) add(ctx context.Context, name string) error {
	e, err := entryOf(name)
	if err != nil {
		return err
	}
	if err := a.catalog.put(ctx, e); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.studies[e.Envelope.Study] += e.Stored.Sums.Size()
	return nil
}

// room reports whether the quota lets an object of a study in. Nothing is deleted to make
// room.
func (a *area) room(study uid.UID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, known := a.studies[study]
	if !known && len(a.studies) >= a.Studies || n >= a.StudyBytes {
		return &dimse.StatusError{Status: dimse.OutOfResources, Comment: "quota exceeded"}
	}
	return nil
}

// judged decides about an association; a private SOP class may end the server.
func (o *DCMQRServer) judged(s *Stdio, stop context.CancelFunc, p *dimse.Proposal) error {
	a := o.area(p.Peer)
	if a == nil || !a.serves(p.Peer) {
		return dimse.RejectWith(ul.RejectCallingAETitle, errors.New("the caller is no peer of this AE title"))
	}
	for _, c := range p.Request.Contexts {
		if c.AbstractSyntax == ShutdownClass && o.AllowShutdown {
			o.says(s, Normal, "%s asks for shutdown", p.Peer.Calling)
			stop()
			return errors.New("shutting down")
		}
	}
	return nil
}

func (o *DCMQRServer) area(p *dimse.Peer) *area { return o.areas[strings.TrimSpace(string(p.Called))] }

// serves reports whether a caller is a peer: its title, from its host.
func (a *area) serves(p *dimse.Peer) bool {
	if a.Any {
		return true
	}
	for _, q := range a.Peers {
		if q.Title == strings.TrimSpace(string(p.Calling)) && sameHost(q.Host, p.Host()) {
			return true
		}
	}
	return false
}

// lookupLimit is how long a name server may take: an association waits for it.
const lookupLimit = 5 * time.Second

// sameHost reports whether a name is that of an address.
func sameHost(name, address string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
	defer cancel()
	at := net.ParseIP(address)
	addrs, err := net.DefaultResolver.LookupIPAddr(ctx, name)
	if err != nil || at == nil {
		return name == address
	}
	return slices.ContainsFunc(addrs, func(a net.IPAddr) bool { return a.IP.Equal(at) })
}

var errNotAllowed = &dimse.StatusError{Status: dimse.NotAuthorized, Comment: "not allowed for this AE title"}

// mux has the services of all areas; each request goes to the one that was called.
func (o *DCMQRServer) mux() *dimse.ServeMux {
	mux := new(dimse.ServeMux)
	verify.Register(mux)
	storage.Register(mux, dimse.StorerFunc(o.store))
	options := query.Options{Relational: true, DateTime: true, Lenient: true}
	find := query.SCP(query.FinderFunc(o.find), options)
	get := retrieve.GetSCP(retrieve.RetrieverFunc(o.retrieve), retrieve.Options{Query: options})
	move := retrieve.MoveSCP(retrieve.RetrieverFunc(o.retrieve), retrieve.ResolverFunc(o.resolve), retrieve.Options{Query: options})
	for _, m := range [...]struct {
		name string
		off  bool
	}{{"patient", o.NoPatient}, {"study", o.NoStudy}, {"patient-study", o.NoPatientOnly}} {
		if m.off {
			continue
		}
		q := Query{Model: m.name}
		for op, h := range [...]dimse.Handler{finds: find, moves: move, gets: get} {
			class, err := q.class(op)
			if err == nil && (op != gets || !o.DisableGet) {
				mux.Handle([...]dimse.Op{finds: dimse.CFind, moves: dimse.CMove, gets: dimse.CGet}[op], class, h)
			}
		}
	}
	return mux
}

func (o *DCMQRServer) store(ctx context.Context, in *dimse.Incoming) error {
	a := o.area(in.Peer)
	if a == nil || !a.Write {
		return errNotAllowed
	}
	return a.folder.Store(ctx, in)
}

func (o *DCMQRServer) find(ctx context.Context, q *query.Query) iter.Seq2[*dicom.DataSet, error] {
	a := o.area(q.Peer)
	if a == nil || !a.Read {
		return func(yield func(*dicom.DataSet, error) bool) { yield(nil, errNotAllowed) }
	}
	return a.front.Find(ctx, q)
}

func (o *DCMQRServer) retrieve(ctx context.Context, q *query.Query) (*retrieve.Retrieval, error) {
	a := o.area(q.Peer)
	if a == nil || !a.Read {
		return nil, errNotAllowed
	}
	return a.front.Retrieve(ctx, q)
}

// resolve finds a destination in the HostTable and in the peers of AE titles.
func (o *DCMQRServer) resolve(_ context.Context, r *dimse.Request, dest dimse.AETitle) (*retrieve.Destination, error) {
	title := strings.TrimSpace(string(dest))
	for _, p := range o.known(r.Peer) {
		switch {
		case p.Title != title:
		case o.MoveSameTitle && title != strings.TrimSpace(string(r.Peer.Calling)):
		case o.MoveSameHost && !sameHost(p.Host, r.Peer.Host()):
		default:
			return &retrieve.Destination{Called: dest, Addr: p.addr(), Dialer: dimse.Dialer{Calling: r.Peer.Called}}, nil
		}
	}
	return nil, fmt.Errorf("%w: %s is not in the HostTable, or may not be sent to", retrieve.ErrUnknownDestination, strconv.Quote(title))
}

func (o *DCMQRServer) known(p *dimse.Peer) []qrPeer {
	var out []qrPeer
	if a := o.area(p); a != nil {
		out = append(out, a.Peers...)
	}
	for _, peers := range o.hosts {
		out = append(out, peers...)
	}
	return out
}
