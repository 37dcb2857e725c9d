package dimse

import (
	"slices"

	"gantry/dicom/uid"
	"gantry/ul"
)

// negotiation answers the presentation contexts of one association request.
type negotiation struct {
	rq           *ul.AssociateRQ
	handler      Handler
	grant        Grant
	knownStorage bool
	window       int // operations at a time, if the peer proposes more than one
	accepted     []presentation
	roles        []ul.RoleSelection
}

// answer returns the A-ASSOCIATE-AC; accepted contexts are left in n.accepted.
func (n *negotiation) answer() *ul.AssociateAC {
	ac := &ul.AssociateAC{Contexts: make([]ul.AnsweredContext, 0, len(n.rq.Contexts))}
	n.accepted = make([]presentation, 0, len(n.rq.Contexts))
	for i := range n.rq.Contexts {
		ac.Contexts = append(ac.Contexts, n.context(&n.rq.Contexts[i]))
	}
	u := &ac.User
	u.ImplementationClass, u.ImplementationVersion = ImplementationClass, ImplementationVersion
	u.Roles = n.roles
	if n.rq.User.Async != nil {
		u.Async = answerWindow(*n.rq.User.Async, n.window)
	}
	if id := n.rq.User.Identity; id != nil && id.ResponseRequested {
		u.IdentityResponse = &ul.IdentityResponse{Response: n.grant.IdentityResponse}
	}
	if neg, ok := n.handler.(Negotiator); ok {
		for _, e := range n.rq.User.Extended {
			if info := neg.NegotiateExtended(e.Class, e.Info); info != nil {
				u.Extended = append(u.Extended, ul.ExtendedNegotiation{Class: e.Class, Info: info})
			}
		}
	}
	return ac
}

// context answers one proposed context.
func (n *negotiation) context(p *ul.ProposedContext) ul.AnsweredContext {
	refuse := func(r ul.ContextResult) ul.AnsweredContext {
		a := ul.AnsweredContext{ID: p.ID, Result: r, TransferSyntax: uid.ImplicitVRLittleEndian}
		if len(p.TransferSyntaxes) > 0 {
			a.TransferSyntax = p.TransferSyntaxes[0] // not significant
		}
		return a
	}
	if n.grant.Classes != nil && !n.grant.Classes(p.AbstractSyntax) {
		return refuse(ul.ContextUserRejection)
	}
	scp, scu := n.offers(p.AbstractSyntax)
	if !scp && !scu {
		return refuse(ul.ContextAbstractSyntaxNotSupported)
	}
	pc := presentation{id: p.ID, class: p.AbstractSyntax, scu: true}
	if r := n.role(p.AbstractSyntax); r != nil {
		pc.scu, pc.scp = r.SCU && scp, r.SCP && scu
		n.answerRole(ul.RoleSelection{Class: r.Class, SCU: pc.scu, SCP: pc.scp})
	}
	if !pc.scp && (!scp || !pc.scu) {
		return refuse(ul.ContextAbstractSyntaxNotSupported)
	}
	if pc.syntax = chooseSyntax(p, &n.grant); pc.syntax == "" {
		return refuse(ul.ContextTransferSyntaxesNotSupported)
	}
	n.accepted = append(n.accepted, pc)
	return ul.AnsweredContext{ID: p.ID, TransferSyntax: pc.syntax}
}

// offers tells in which roles the handler serves a class, or a general class that the peer
// says it is a kind of.
func (n *negotiation) offers(class uid.UID) (scp, scu bool) {
	if n.knownStorage {
		if _, known := uid.Lookup(class); !known {
			return false, false
		}
	}
	o, ok := n.handler.(Offerer)
	if !ok {
		return true, storageClass(class)
	}
	if scp, scu = o.Offers(class); scp || scu {
		return scp, scu
	}
	for i := range n.rq.User.CommonExtended {
		if c := &n.rq.User.CommonExtended[i]; c.Class == class {
			for _, r := range c.Related {
				if scp, scu = o.Offers(r); scp || scu {
					return scp, scu
				}
			}
		}
	}
	return false, false
}

// role returns the proposed role selection for a class, nil if there is none: the default
// roles hold then.
func (n *negotiation) role(class uid.UID) *ul.RoleSelection {
	for i := range n.rq.User.Roles {
		if n.rq.User.Roles[i].Class == class {
			return &n.rq.User.Roles[i]
		}
	}
	return nil
}

// answerRole adds r unless another context of the class did.
func (n *negotiation) answerRole(r ul.RoleSelection) {
	if !slices.ContainsFunc(n.roles, func(o ul.RoleSelection) bool { return o.Class == r.Class }) {
		n.roles = append(n.roles, r)
	}
}

// chooseSyntax returns the transfer syntax to accept of a proposed context, empty for
// none: the first of the preferred ones that is proposed, else the first proposed one, but Implicit
// VR Little Endian only when nothing else, and Explicit VR Big Endian only when not even
// that, can be had.
func chooseSyntax(p *ul.ProposedContext, g *Grant) uid.UID {
	for _, ts := range g.Syntaxes {
		if slices.Contains(p.TransferSyntaxes, ts) && acceptable(p.AbstractSyntax, ts) {
			return ts
		}
	}
	if g.OnlySyntaxes && storageClass(p.AbstractSyntax) {
		return ""
	}
	var best uid.UID
	rank := 3
	for _, ts := range p.TransferSyntaxes {
		r := 0
		switch ts {
		case uid.ImplicitVRLittleEndian:
			r = 1
		case uid.ExplicitVRBigEndian:
			r = 2
		}
		if r < rank && acceptable(p.AbstractSyntax, ts) {
			best, rank = ts, r
		}
	}
	return best
}

// acceptable reports whether a class can go in a transfer syntax: for storage each one
// whose data sets can be read and kept, which leaves out real-time video and foreign
// encodings; elsewhere only those without pixel data in them.
func acceptable(class, ts uid.UID) bool {
	s, ok := ts.SyntaxInfo()
	if !ok || s.RealTime || s.Foreign {
		return false
	}
	return storageClass(class) || !s.Encapsulated && !s.Referenced
}
