package dimse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"gantry/dicom/uid"
	"gantry/ul"
)

// Context is a presentation context to propose. Empty Syntaxes are Explicit and Implicit VR
// Little Endian. SCP proposes the provider's role for the class as well, as C-GET needs it
// for storage classes; with OnlySCP it is proposed alone.
type Context struct {
	Class        uid.UID
	Syntaxes     []uid.UID
	SCP, OnlySCP bool
}

// Dialer opens associations. It may be copied and used by several goroutines; its fields
// must not change meanwhile. The zero value proposes Verification.
type Dialer struct {
	Calling  AETitle // empty: GANTRY
	Contexts []Context
	TLS      *tls.Config // nil: no TLS. An empty ServerName is taken from the address
	Limits   NetLimits

	Identity       *ul.UserIdentity
	Extended       []ul.ExtendedNegotiation
	CommonExtended []ul.CommonExtended

	// Window is how many operations may run at a time, of this side or of the peer, as
	// proposed (PS3.7 D.3.3.3), up to 255. 0 and 1 propose nothing.
	Window int

	// Handler answers what the peer asks of this side, such as N-EVENT-REPORT; nil refuses.
	Handler Handler

	// DialContext, if set, opens the transport connection.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Dial connects to addr (host:port), does the TLS handshake if any, and opens an
// association with the called application entity. A rejection is a *RejectedError.
func (d *Dialer) Dial(ctx context.Context, called AETitle, addr string) (*Assoc, error) {
	rq, err := d.request(called)
	if err != nil {
		return nil, err
	}
	limits := d.Limits.withDefaults()
	nc, err := d.connect(ctx, addr, limits.ARTIM)
	if err != nil {
		return nil, err
	}
	conn, err := ul.Request(ctx, nc, rq, limits.ul())
	if err != nil {
		return nil, err
	}
	return d.associated(conn, limits), nil
}

func (d *Dialer) connect(ctx context.Context, addr string, limit time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dial := d.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	nc, err := dial(ctx, "tcp", addr)
	if err != nil || d.TLS == nil {
		return nc, err
	}
	cfg := d.TLS
	if cfg.ServerName == "" && !cfg.InsecureSkipVerify {
		cfg = cfg.Clone()
		cfg.ServerName = hostName(addr)
	}
	tc := tls.Client(nc, cfg)
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		var rh tls.RecordHeaderError
		if errors.As(err, &rh) {
			return nil, fmt.Errorf("dimse: %s does not speak TLS (%v): switch TLS off here or on there", addr, ul.Sniff(rh.RecordHeader[:]))
		}
		return nil, fmt.Errorf("dimse: TLS handshake with %s: %w", addr, err)
	}
	return tc, nil
}

func hostName(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// request builds the A-ASSOCIATE-RQ.
func (d *Dialer) request(called AETitle) (*ul.AssociateRQ, error) {
	calling := d.Calling
	if calling == "" {
		calling = "GANTRY"
	}
	if err := errors.Join(called.Check(), calling.Check()); err != nil {
		return nil, err
	}
	contexts := d.Contexts
	if len(contexts) == 0 {
		contexts = []Context{{Class: uid.Verification}}
	}
	if len(contexts) > ul.MaxContexts {
		return nil, fmt.Errorf("dimse: %d presentation contexts to propose, but one association has at most %d: use several associations", len(contexts), ul.MaxContexts)
	}
	rq := &ul.AssociateRQ{Called: string(called), Calling: string(calling), User: ul.UserInformation{
		ImplementationClass: ImplementationClass, ImplementationVersion: ImplementationVersion,
		Async: proposeWindow(d.Window), Identity: d.Identity, Extended: d.Extended, CommonExtended: d.CommonExtended}}
	for i, c := range contexts {
		syntaxes := c.Syntaxes
		if len(syntaxes) == 0 {
			syntaxes = []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
		}
		rq.Contexts = append(rq.Contexts, ul.ProposedContext{ID: byte(2*i + 1), AbstractSyntax: c.Class, TransferSyntaxes: syntaxes})
		if c.SCP || c.OnlySCP {
			addRole(rq, ul.RoleSelection{Class: c.Class, SCU: !c.OnlySCP, SCP: true})
		}
	}
	return rq, nil
}

// acceptedWindow is how many operations the peer lets us have running.
func (d *Dialer) acceptedWindow(ac *ul.AssociateAC) int {
	invoked, _ := windowOf(ac.User.Async)
	return max(1, min(invoked, d.Window))
}

func addRole(rq *ul.AssociateRQ, r ul.RoleSelection) {
	same := func(o ul.RoleSelection) bool { return o.Class == r.Class }
	if !slices.ContainsFunc(rq.User.Roles, same) {
		rq.User.Roles = append(rq.User.Roles, r)
	}
}

// associated makes the Assoc of an established association.
func (d *Dialer) associated(conn *ul.Conn, limits NetLimits) *Assoc {
	rq, ac := conn.Request(), conn.Answer()
	a := &Assoc{session: session{conn: conn}, limits: limits, handler: d.Handler, proposed: d.Contexts}
	a.open(d.acceptedWindow(ac))
	a.peer = &Peer{Calling: AETitle(rq.Calling), Called: AETitle(rq.Called), Addr: conn.NetConn().RemoteAddr(),
		Implementation: ac.User.ImplementationClass, Version: ac.User.ImplementationVersion, extended: ac.User.Extended}
	if tc, ok := conn.NetConn().(*tls.Conn); ok {
		cs := tc.ConnectionState()
		a.peer.TLS = &cs
	}
	for _, p := range rq.Contexts {
		i := slices.IndexFunc(ac.Contexts, func(c ul.AnsweredContext) bool { return c.ID == p.ID })
		if i < 0 || ac.Contexts[i].Result != ul.ContextAccepted {
			continue
		}
		pc := presentation{id: p.ID, class: p.AbstractSyntax, syntax: ac.Contexts[i].TransferSyntax, scu: true}
		for _, r := range ac.User.Roles {
			if r.Class == pc.class {
				pc.scu, pc.scp = r.SCU, r.SCP
			}
		}
		if slices.Contains(p.TransferSyntaxes, pc.syntax) { // an answer that was not proposed is of no use
			a.contexts = append(a.contexts, pc)
		}
	}
	return a
}
