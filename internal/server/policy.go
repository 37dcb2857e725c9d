package server

import (
	"context"
	"net"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/archive/egress"
	"gantry/internal/config"
	"gantry/internal/front/dimsefront"
	"gantry/ul"
)

// peerTable is who is known. It is replaced as a whole by Reload.
type peerTable struct {
	byAE    map[string]config.Peer
	hosts   map[string][]string // addresses of a peer's host, by AE title
	allowed []string
	unknown string
}

const resolveTimeout = 3 * time.Second

func newPeerTable(ctx context.Context, c *config.Config) *peerTable {
	t := &peerTable{byAE: map[string]config.Peer{}, hosts: map[string][]string{}, allowed: c.Access.AllowedAETitles, unknown: c.UnknownCaller()}
	if len(t.allowed) > 0 && c.Server.UnknownAE == "" {
		t.unknown = "refuse"
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	for _, p := range c.Peers {
		ae := strings.TrimSpace(p.AETitle)
		t.byAE[ae] = p
		t.hosts[ae] = resolve(ctx, p.Host)
	}
	return t
}

func resolve(ctx context.Context, host string) []string {
	if net.ParseIP(host) != nil {
		return []string{host}
	}
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil
	}
	return addrs
}

// known reports whether a caller may do everything: a peer that calls from its own
// address, or a title that the list of allowed ones has.
func (t *peerTable) known(calling dimse.AETitle, host string) bool {
	ae := strings.TrimSpace(string(calling))
	if _, ok := t.byAE[ae]; ok {
		for _, h := range t.hosts[ae] {
			if net.ParseIP(h).Equal(net.ParseIP(host)) {
				return true
			}
		}
	}
	for _, pattern := range t.allowed {
		if ok, err := path.Match(escapeBrackets(pattern), ae); ok && err == nil {
			return true
		}
	}
	return false
}

// escapeBrackets leaves * and ? as the only wildcards.
func escapeBrackets(s string) string { return strings.NewReplacer("[", `\[`, `\`, `\\`).Replace(s) }

// issuer is the Issuer of Patient ID for what a caller sends.
func (t *peerTable) issuer(calling, fallback string) string {
	if p, ok := t.byAE[strings.TrimSpace(calling)]; ok && p.Issuer != "" {
		return p.Issuer
	}
	return fallback
}

// policy is the association policy over a table that Reload replaces.
func policy(c *config.Config, table *atomic.Pointer[peerTable]) dimse.Policy {
	p := dimse.Policy{
		AnyCalled: !c.Server.CheckCalledAE,
		Known: func(calling dimse.AETitle, host string) bool {
			t := table.Load()
			return t.unknown == "serve" || t.unknown == "quarantine" || t.known(calling, host)
		},
		Unknown:      dimse.EchoUnknown,
		KnownStorage: !c.Server.UnknownClasses,
		Syntaxes:     syntaxes(c.Server.Syntaxes),
	}
	p.Accept = func(prop *dimse.Proposal) (dimse.Grant, error) {
		t := table.Load() // here and not in p.Unknown: a reload may change it
		if t.unknown == "refuse" && !t.known(prop.Peer.Calling, prop.Peer.Host()) {
			return dimse.Grant{}, dimse.RejectWith(ul.RejectCallingAETitle, nil)
		}
		return t.grant(prop), nil
	}
	return p
}

// grant is what a caller is given: its order of transfer syntaxes, and for a stranger in
// quarantine no more than to echo and to store what will be held.
func (t *peerTable) grant(prop *dimse.Proposal) dimse.Grant {
	p := prop.Peer
	g := dimse.Grant{Syntaxes: t.syntaxes(string(p.Calling))}
	if retrieves(prop.Request) {
		g.Syntaxes = append(t.wanted(string(p.Calling)), g.Syntaxes...)
	}
	if t.unknown == "quarantine" && !t.known(p.Calling, p.Host()) {
		g.Value = dimsefront.Stranger
		g.Classes = func(c uid.UID) bool { return c == uid.Verification || !isService(c) }
	}
	return g
}

// retrieves reports whether a caller means to receive objects by C-GET: it takes the role
// of SCP for a class (PS3.7 D.3.3.4).
func retrieves(rq *ul.AssociateRQ) bool {
	return slices.ContainsFunc(rq.User.Roles, func(r ul.RoleSelection) bool { return r.SCP })
}

// isService reports whether a SOP class asks something of the archive: every one of the
// dictionary that is not for storage.
func isService(c uid.UID) bool {
	_, ok := uid.Lookup(c)
	return ok && !c.IsStorage()
}

// syntaxes is the order of transfer syntaxes that a peer is given.
func (t *peerTable) syntaxes(calling string) []uid.UID {
	return syntaxes(t.byAE[strings.TrimSpace(calling)].Syntaxes)
}

// wanted is the order of transfer syntaxes that an AE title wants objects in.
func (t *peerTable) wanted(ae string) []uid.UID {
	return syntaxes(t.byAE[strings.TrimSpace(ae)].SendSyntaxes)
}

// arrival is the rule for what a caller sends.
func (t *peerTable) arrival(calling string) (a egress.Rule) {
	p := t.byAE[strings.TrimSpace(calling)]
	a.StoreAs, _ = config.SyntaxOf(p.StoreAs)
	a.Derive, _ = config.SyntaxOf(p.Derive)
	if a.Derive == uid.JPEGLSNearLossless {
		a.Near = p.Quality
	} else {
		a.Quality = p.Quality
	}
	return a
}

func syntaxes(names []string) []uid.UID {
	var out []uid.UID
	for _, s := range names {
		if u, ok := config.SyntaxOf(s); ok {
			out = append(out, u)
		}
	}
	return out
}
