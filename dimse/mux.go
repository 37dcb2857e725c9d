package dimse

import (
	"fmt"

	"gantry/dicom/uid"
)

// AnyClass is the wildcard of ServeMux.Handle.
const AnyClass uid.UID = "*"

// Handler answers requests. ServeDIMSE is called on the owner of an association for C-ECHO,
// C-STORE and the N-services, on a goroutine of its own for C-FIND, C-GET and C-MOVE and,
// where an asynchronous window was negotiated, for all: so many of one association run at a
// time then. A
// handler that returns without a final response yields a failure; one that panics loses its
// association, no other. Neither Request nor ResponseWriter may be used after it returns.
type Handler interface {
	ServeDIMSE(ResponseWriter, *Request)
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ResponseWriter, *Request)

// ServeDIMSE calls f.
func (f HandlerFunc) ServeDIMSE(w ResponseWriter, r *Request) { f(w, r) }

// Negotiator is a Handler that takes part in SOP class extended negotiation (PS3.7
// D.3.3.5): it returns the information to answer with, nil for no answer.
type Negotiator interface {
	NegotiateExtended(class uid.UID, info []byte) []byte
}

// Offerer is a Handler that knows which SOP classes it serves: scp as their provider, scu
// as the user of storage classes that a C-GET sends. A Server whose Handler is no Offerer
// offers every class it is asked for.
type Offerer interface {
	Offers(class uid.UID) (scp, scu bool)
}

// ServeMux is a Handler that dispatches on operation and SOP class: the class, else one of
// its related general SOP classes as the peer named them, else the class of the
// presentation context, else the wildcard. The zero value is ready for use. Handle must not
// be called while it serves.
type ServeMux struct {
	handlers map[muxKey]Handler
	classes  map[uid.UID]bool
}

type muxKey struct {
	op    Op
	class uid.UID
}

// Handle registers the handler of an operation on a class or on AnyClass. Registering one
// twice panics, as it is an error of the program's wiring.
func (m *ServeMux) Handle(op Op, class uid.UID, h Handler) {
	if m.handlers == nil {
		m.handlers, m.classes = make(map[muxKey]Handler), make(map[uid.UID]bool)
	}
	k := muxKey{op, class}
	if _, dup := m.handlers[k]; dup || h == nil || !op.Known() || op == CCancel {
		panic(fmt.Sprintf("dimse: Handle(%v, %s): registered twice, or no such operation, or no handler", op, class))
	}
	m.handlers[k] = h
	m.classes[class] = true
}

// HandleFunc registers a function as the handler of an operation on a class.
func (m *ServeMux) HandleFunc(op Op, class uid.UID, f func(ResponseWriter, *Request)) {
	m.Handle(op, class, HandlerFunc(f))
}

// ServeDIMSE dispatches r. Without a handler the answer is 0122H for the C-services, 0118H
// or 0211H for the N-services.
func (m *ServeMux) ServeDIMSE(w ResponseWriter, r *Request) {
	if h := m.handler(r); h != nil {
		h.ServeDIMSE(w, r)
		return
	}
	w.Send(&Response{Status: m.refusal(r)})
}

func (m *ServeMux) handler(r *Request) Handler {
	if h := m.handlers[muxKey{r.Op, r.Class}]; h != nil {
		return h
	}
	if r.Peer != nil {
		for _, c := range r.Peer.related(r.Class) {
			if h := m.handlers[muxKey{r.Op, c}]; h != nil {
				return h
			}
		}
	}
	if r.session != nil && !r.Op.composite() { // a meta SOP class, or UPS Push under another UPS class
		if h := m.handlers[muxKey{r.Op, r.negotiated()}]; h != nil {
			return h
		}
	}
	return m.handlers[muxKey{r.Op, AnyClass}]
}

func (m *ServeMux) refusal(r *Request) Status {
	switch {
	case !r.Op.Known(), m.classes[r.Class]:
		return UnrecognizedOperation
	case r.Op.composite():
		return SOPClassNotSupported
	}
	return NoSuchSOPClass
}

// Offers implements Offerer: a class with any handler of its own, a storage class when
// there is a wildcard for C-STORE, and any class at all under other wildcards. Storage
// classes are offered as user when there is a handler for C-GET. Storage classes here are
// those of the dictionary and those unknown to it; Policy narrows that.
func (m *ServeMux) Offers(class uid.UID) (scp, scu bool) {
	storage := storageClass(class)
	for k := range m.handlers {
		switch {
		case k.class == class, k.class == AnyClass && k.op != CStore, k.class == AnyClass && storage:
			scp = true
		}
		if k.op == CGet && storage {
			scu = true
		}
	}
	return scp, scu
}

// NegotiateExtended implements Negotiator by asking the class's handler that is one.
func (m *ServeMux) NegotiateExtended(class uid.UID, info []byte) []byte {
	for _, op := range [...]Op{CFind, CMove, CGet, CStore, NCreate, NAction} {
		h := m.handlers[muxKey{op, class}]
		if h == nil {
			h = m.handlers[muxKey{op, AnyClass}]
		}
		if n, ok := h.(Negotiator); ok {
			if answer := n.NegotiateExtended(class, info); answer != nil {
				return answer
			}
		}
	}
	return nil
}

// storageClass reports whether class may be a storage class: one of the dictionary, or one
// that the dictionary does not have.
func storageClass(class uid.UID) bool {
	if class.IsStorage() {
		return true
	}
	_, known := uid.Lookup(class)
	return !known && class.Valid()
}
