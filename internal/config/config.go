// Package config is what can be set: one table of keys from which the YAML file, the
// environment, the flags, the sample and the messages all come.
package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Config is the whole configuration, after defaults, file, environment and flags, in
// that order. It is plain data; the server copies what it needs at start.
type Config struct {
	Server     Server
	TLS        TLS
	Storage    Storage
	Archive    Archive
	Database   Database
	Index      Index
	Query      Query
	Logging    Logging
	Access     Access
	HTTP       HTTP
	Monitoring Monitoring
	Patient    Patient
	Peers      []Peer
}

// Server is the DICOM listener.
type Server struct {
	AETitle         string
	Bind            string // address to listen on; loopback by default
	Port            int
	MaxAssociations int
	MaxPerHost      int
	MaxPDU          int // bytes, announced to peers
	Window          int // operations at a time on an association that negotiates them
	IdleTimeout     time.Duration
	ShutdownTimeout time.Duration
	CheckCalledAE   bool
	UnknownClasses  bool     // take storage classes that the dictionary does not have
	Syntaxes        []string // transfer syntaxes in the order preferred; empty: the caller's
	UnknownAE       string   // refuse, echo, quarantine or serve; empty chooses by Bind
}

// TLS is the second DICOM listener, for TLS (PS3.15 B.9 and later).
type TLS struct {
	Enabled           bool
	Port              int
	CertPath, KeyPath string // PEM
	CAPath            string // PEM, who signs clients
	RequireClientCert bool
	MinVersion        string
}

// Storage is where objects lie.
type Storage struct {
	Directory       string
	Layout          string // log or plain
	Naming          string // of the plain layout
	DuplicatePolicy string
	PackMax         int64         // bytes
	MinFree         int64         // bytes that stay free; 0 is the larger of 1 GiB and 1 %
	UndoWindow      time.Duration // how long a deletion can be undone
	ScrubRate       int           // MB a second that stored objects are read again with; 0 is never
	ScrubEvery      time.Duration // from one round over all of them to the next; 0 is never
	CompactEvery    time.Duration // from one look for segments to be rewritten to the next; 0 is never
	CompactRate     int           // MB a second that they are rewritten with; 0 is never
	Migrate         bool          // bring objects of another layout into this one
	RepairFrom      string        // folder of a backup that damaged objects are mended from
}

// Archive is what is made of stored objects.
type Archive struct {
	Settle time.Duration // a study to which nothing came for so long is complete; 0 is never
}

// Database is the index.
type Database struct {
	Path    string // empty: index.db in the storage directory
	WALMode bool
}

// Index is what the index knows beside the keys that it always has.
type Index struct {
	ExtraAttributes []string // keywords or gggg,eeee
	Sync            string   // full, or log: the index may lag behind the log on disk
}

// Query bounds what one query may cost.
type Query struct {
	MaxRows  int           // looked at without a match
	MaxTime  time.Duration // of looking at rows without a match
	Deadline time.Duration // of the whole, the peer's reading of the answers too
	Parallel int           // queries that search at a time
}

// Logging is what is written about the server's work.
type Logging struct {
	Level   string
	File    string
	Console bool
}

// Access says who may call.
type Access struct {
	AllowedAETitles []string // wildcards * and ?; empty: all that UnknownAE lets
}

// HTTP is the listener for health and metrics.
type HTTP struct {
	Address string // host:port, empty for none
	Auth    bool
}

// Monitoring is a second HTTP listener, for metrics alone.
type Monitoring struct {
	Enabled        bool
	MetricsPort    int
	HealthInterval time.Duration
}

// Patient is how patients are told apart.
type Patient struct {
	DefaultIssuer string // Issuer of Patient ID where an object has none
}

// Peer is an application entity that Gantry knows: it may call, and it may be the
// destination of C-MOVE.
type Peer struct {
	AETitle  string
	Host     string
	Port     int
	Issuer   string   // Issuer of Patient ID for what it sends without one
	TLS      bool     // connect to it by TLS
	Syntaxes []string // transfer syntaxes in the order preferred for it
	// SendSyntaxes are those that it is sent objects in, best first, where they can be
	// transcoded to them without loss and it takes them.
	SendSyntaxes []string
	// StoreAs is the transfer syntax that what it sends is kept in, where that loses nothing;
	// empty: as it comes.
	StoreAs string
	// Derive is a transfer syntax that loses information: of each image that it sends another
	// object is made in it.
	Derive  string
	Quality int // of Derive, 1 to 100; JPEG-LS: 1 to 255, how far a sample may be off; 0: see pixel.Lossy
}

// ParsePeer reads AE:host:port. The host may be an IPv6 address in brackets.
func ParsePeer(s string) (Peer, error) {
	ae, addr, ok := strings.Cut(s, ":")
	if !ok {
		return Peer{}, fmt.Errorf("peer %q: want AE:host:port", s)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return Peer{}, fmt.Errorf("peer %q: want AE:host:port", s)
	}
	n, err := strconv.Atoi(port)
	p := Peer{AETitle: ae, Host: host, Port: n}
	if err != nil {
		return p, fmt.Errorf("peer %q: port %q is no number", s, port)
	}
	return p, p.check()
}

func (p Peer) check() error {
	switch {
	case checkAE(p.AETitle) != nil:
		return fmt.Errorf("peer %q: %w", p.AETitle, checkAE(p.AETitle))
	case p.Host == "":
		return fmt.Errorf("peer %q: no host", p.AETitle)
	case p.Port < 1 || p.Port > 65535:
		return fmt.Errorf("peer %q: port %d is not between 1 and 65535", p.AETitle, p.Port)
	}
	return nil
}

// checkAE holds PS3.5 6.2: at most 16 characters, not all spaces, no backslash and no
// control characters.
func checkAE(ae string) error {
	switch {
	case strings.TrimSpace(ae) == "":
		return fmt.Errorf("an AE title may not be empty")
	case len(ae) > 16:
		return fmt.Errorf("the AE title %q has more than 16 characters", ae)
	}
	for _, c := range []byte(ae) {
		if c < ' ' || c > '~' || c == '\\' {
			return fmt.Errorf("the AE title %q has a character that AE titles may not have", ae)
		}
	}
	return nil
}

// Loopback reports whether every listener is on a loopback address.
func (c *Config) Loopback() bool {
	if !isLoopback(c.Server.Bind) {
		return false
	}
	host, _, err := net.SplitHostPort(c.HTTP.Address)
	return c.HTTP.Address == "" || err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// UnknownCaller is what an AE title that no peer has may do: refuse, echo, quarantine or serve. Where
// nothing is set, loopback serves everybody, and any other address lets strangers echo.
func (c *Config) UnknownCaller() string {
	switch {
	case c.Server.UnknownAE != "":
		return c.Server.UnknownAE
	case isLoopback(c.Server.Bind):
		return "serve"
	}
	return "echo"
}
