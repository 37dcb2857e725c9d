package config

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"gantry/dicom/uid"
)

// check finds what no single value shows.
func (l *Loader) check() {
	c := l.Config
	l.checkPort("server.port", c.Server.Port)
	if err := checkAE(c.Server.AETitle); err != nil {
		l.errorf(l.from("server.ae_title"), "server.ae_title: %v", err)
	}
	l.checkPositive("server.max_associations", c.Server.MaxAssociations)
	l.checkPositive("server.max_associations_per_host", c.Server.MaxPerHost)
	if c.Server.MaxPDU < 4096 || c.Server.MaxPDU > 16<<20 {
		l.errorf(l.from("server.max_pdu"), "server.max_pdu: %d is not between 4096 and %d", c.Server.MaxPDU, 16<<20)
	}
	if c.Server.Window < 1 || c.Server.Window > 255 {
		l.errorf(l.from("server.async_window"), "server.async_window: %d is not between 1 and 255", c.Server.Window)
	}
	for _, s := range c.Server.Syntaxes {
		if _, ok := SyntaxOf(s); !ok {
			l.errorf(l.from("server.transfer_syntaxes"), "server.transfer_syntaxes: %q is no transfer syntax: want its UID or keyword", s)
		}
	}
	l.checkTLS()
	l.checkStorage()
	l.checkQuery()
	l.checkHTTP()
	l.checkPeers()
}

func (l *Loader) checkPort(name string, port int) {
	if port < 0 || port > 65535 {
		l.errorf(l.from(name), "%s: %d is not between 1 and 65535", name, port)
	}
}

func (l *Loader) checkPositive(name string, n int) {
	if n < 1 {
		l.errorf(l.from(name), "%s: %d is not positive", name, n)
	}
}

func (l *Loader) checkTLS() {
	t := &l.Config.TLS
	if !t.Enabled {
		return
	}
	l.checkPort("server.tls.port", t.Port)
	if t.CertPath == "" || t.KeyPath == "" {
		l.errorf(l.from("server.tls.enabled"), "server.tls: enabled needs certificate and private_key")
	}
	if t.RequireClientCert && t.CAPath == "" {
		l.errorf(l.from("server.tls.require_client_cert"), "server.tls: require_client_cert needs ca_certificate")
	}
}

// checkStorage settles layout and naming, which can be named in several ways.
func (l *Loader) checkStorage() {
	s := &l.Config.Storage
	if s.Directory == "" {
		l.errorf(l.from("storage.directory"), "storage.directory: may not be empty")
	}
	switch s.Naming {
	case "uid_hierarchical":
		s.Naming = "hierarchical"
	case "date_based":
		s.Naming = "date_hierarchical"
	case "uid_flat":
		s.Naming = "flat"
	}
	if s.Naming != "" && s.Layout == "log" {
		l.errorf(l.from("storage.naming"), "storage.naming: the log layout has no file names; set storage.layout to plain or leave it out")
	}
	switch {
	case s.Layout == "" && s.Naming != "":
		s.Layout = "plain"
	case s.Layout == "":
		s.Layout = "log"
	case s.Layout == "plain" && s.Naming == "":
		s.Naming = "hierarchical"
	}
	if s.DuplicatePolicy == "rename" {
		s.DuplicatePolicy = "keep"
	}
	if s.PackMax < 0 || s.PackMax > 64<<20 {
		l.errorf(l.from("storage.pack_max"), "storage.pack_max: %d is not between 0 and %d", s.PackMax, 64<<20)
	}
	if s.MinFree < 0 {
		l.errorf(l.from("storage.min_free"), "storage.min_free: %d is negative", s.MinFree)
	}
	if s.ScrubRate < 0 || s.ScrubRate > 100_000 {
		l.errorf(l.from("storage.scrub_rate"), "storage.scrub_rate: %d is not between 0 and 100000", s.ScrubRate)
	}
	if s.CompactRate < 0 || s.CompactRate > 100_000 {
		l.errorf(l.from("storage.compact_rate"), "storage.compact_rate: %d is not between 0 and 100000", s.CompactRate)
	}
	if !l.Config.Database.WALMode {
		l.errorf(l.from("database.wal_mode"), "database.wal_mode: the index cannot be crash-safe and read beside writes without it; remove the key")
	}
}

// maxExtra is how many attributes may be indexed beside the usual keys: each one makes
// storing slower.
const maxExtra = 32

func (l *Loader) checkQuery() {
	if n := len(l.Config.Index.ExtraAttributes); n > maxExtra {
		l.errorf(l.from("index.extra_attributes"), "index.extra_attributes: %d attributes, at most %d are possible", n, maxExtra)
	}
	q := &l.Config.Query
	l.checkPositive("query.max_rows", q.MaxRows)
	l.checkPositive("query.parallel", q.Parallel)
	l.checkPositive("query.max_time", int(q.MaxTime))
	l.checkPositive("query.deadline", int(q.Deadline))
}

func (l *Loader) checkHTTP() {
	c := l.Config
	if a := c.HTTP.Address; a != "" {
		if _, _, err := net.SplitHostPort(a); err != nil {
			l.errorf(l.from("http.address"), "http.address: %q: want host:port", a)
		}
	}
	if !c.HTTP.Auth && !c.Loopback() {
		l.errorf(l.from("http.auth"), "http.auth: off is refused while a listener is not on loopback")
	}
	if c.Monitoring.Enabled {
		l.checkPort("monitoring.metrics_port", c.Monitoring.MetricsPort)
	}
}

func (l *Loader) checkPeers() {
	seen := map[string]bool{}
	for _, p := range l.Config.Peers {
		ae := strings.TrimSpace(p.AETitle)
		if seen[ae] {
			l.errorf(l.from("peers"), "peers: %s occurs twice", ae)
		}
		seen[ae] = true
		for _, s := range slices.Concat(p.Syntaxes, p.SendSyntaxes) {
			if _, ok := SyntaxOf(s); !ok {
				l.errorf(l.from("peers"), "peers: %s: %q is no transfer syntax: want its UID or keyword", ae, s)
			}
		}
		l.checkArrival(ae, &p)
	}
}

// checkArrival looks at the rules for what a peer sends.
func (l *Loader) checkArrival(ae string, p *Peer) {
	for _, r := range []struct {
		key, name string
		lossy     bool
		want      string
	}{
		{"store_as", p.StoreAs, false, "one that loses nothing: what is kept is what was sent"},
		{"derive", p.Derive, true, "one that loses information"},
	} {
		if r.name == "" {
			continue
		}
		u, ok := SyntaxOf(r.name)
		if i, _ := u.SyntaxInfo(); !ok || i.Lossy != r.lossy || i.Video || i.Referenced || i.RealTime || i.Foreign {
			l.errorf(l.from("peers"), "peers: %s: %s: %q: want a transfer syntax, %s", ae, r.key, r.name, r.want)
		}
	}
	if p.Quality < 0 || p.Quality > 255 || p.Quality > 0 && p.Derive == "" {
		l.errorf(l.from("peers"), "peers: %s: derive_quality: %d: want 1 to 100, with derive", ae, p.Quality)
	}
}

// SyntaxOf finds a transfer syntax by UID or keyword.
func SyntaxOf(s string) (uid.UID, bool) {
	u := uid.UID(s)
	if named, ok := uid.ByKeyword(s); ok {
		u = named
	}
	_, ok := u.SyntaxInfo()
	return u, ok
}

// describe prints the value of a key as text.
func describe(p any) string {
	switch p := p.(type) {
	case *string:
		return *p
	case *[]string:
		return strings.Join(*p, ",")
	case *[]Peer:
		var out []string
		for _, peer := range *p {
			out = append(out, fmt.Sprintf("%s:%s:%d", peer.AETitle, peer.Host, peer.Port))
		}
		return strings.Join(out, ",")
	case *int:
		return fmt.Sprint(*p)
	case *int64:
		return fmt.Sprint(*p)
	case *bool:
		return fmt.Sprint(*p)
	}
	return fmt.Sprint(p)
}
