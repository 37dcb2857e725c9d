package dimse

import (
	"slices"

	"gantry/dicom/uid"
	"gantry/ul"
)

// UnknownCallers tells what callers get that Policy.Known does not know.
type UnknownCallers uint8

// What unknown callers get.
const (
	ServeUnknown  UnknownCallers = iota // all that known ones get
	EchoUnknown                         // the Verification SOP class only
	RefuseUnknown                       // a rejection: calling AE title not recognized
)

// Policy decides who may associate and what is negotiated. The zero value answers to the
// server's AE title only, serves every caller, and takes every storage class.
type Policy struct {
	AnyCalled     bool      // accept any called AE title
	CalledTitles  []AETitle // further titles the server answers to
	Known         func(calling AETitle, host string) bool
	Unknown       UnknownCallers // for callers that Known, if set, does not know
	KnownStorage  bool           // refuse storage classes that the dictionary does not have
	Syntaxes      []uid.UID      // preferred transfer syntaxes, best first; empty: the proposer's order
	OnlySyntaxes  bool           // storage classes are accepted with Syntaxes only
	Accept        func(*Proposal) (Grant, error)
	AnyAppContext bool // accept application context names other than DICOM's
}

// Proposal is an association request as Policy.Accept sees it.
type Proposal struct {
	Peer    *Peer
	Request *ul.AssociateRQ
}

// Grant is what a peer is given. The zero value is everything the server has.
type Grant struct {
	Classes          func(uid.UID) bool // nil: all
	Syntaxes         []uid.UID          // preferred transfer syntaxes for this peer, over Policy.Syntaxes
	OnlySyntaxes     bool               // storage classes are accepted with Syntaxes only
	IdentityResponse []byte             // server response of the user identity negotiation, if asked for
	Value            any                // becomes Peer.Value
}

// RejectWith returns an error that makes Policy.Accept reject an association with r. Any
// other error is a rejection without a reason; err goes to the log only.
func RejectWith(r ul.Reject, err error) error { return &rejection{r, err} }

type rejection struct {
	ul.Reject
	err error
}

func (r *rejection) Error() string {
	if r.err == nil {
		return "dimse: " + r.String()
	}
	return "dimse: " + r.String() + ": " + r.err.Error()
}

func (r *rejection) Unwrap() error { return r.err }

// judge applies p to a proposal.
func (p *Policy) judge(own AETitle, prop *Proposal) (Grant, error) {
	switch {
	case prop.Request.ApplicationContext != ul.ApplicationContext && !p.AnyAppContext:
		return Grant{}, RejectWith(ul.RejectApplicationContext, nil)
	case !p.AnyCalled && prop.Peer.Called != own && !slices.Contains(p.CalledTitles, prop.Peer.Called):
		return Grant{}, RejectWith(ul.RejectCalledAETitle, nil)
	}
	known := p.Known == nil || p.Known(prop.Peer.Calling, prop.Peer.Host())
	if !known && p.Unknown == RefuseUnknown {
		return Grant{}, RejectWith(ul.RejectCallingAETitle, nil)
	}
	var g Grant
	if p.Accept != nil {
		var err error
		if g, err = p.Accept(prop); err != nil {
			return g, err
		}
	}
	if !known && p.Unknown == EchoUnknown {
		g.Classes = func(c uid.UID) bool { return c == uid.Verification }
	}
	if g.Syntaxes == nil {
		g.Syntaxes, g.OnlySyntaxes = p.Syntaxes, p.OnlySyntaxes
	}
	return g, nil
}
