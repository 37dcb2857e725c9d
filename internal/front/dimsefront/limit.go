package dimsefront

import (
	"sync"

	"gantry/dicom/uid"
	"gantry/dimse"
)

// maxMoves is how many C-MOVE requests one address may have running: each one makes the
// archive send to somebody else, so that few requests can make much traffic.
const maxMoves = 16

// moveLimit bounds the C-MOVE requests that run for one address at a time. Those beyond
// are refused with A700H, on which a user retries.
type moveLimit struct {
	dimse.Handler
	mu      sync.Mutex
	running map[string]int
}

func limitMoves(h dimse.Handler) *moveLimit {
	return &moveLimit{Handler: h, running: map[string]int{}}
}

// ServeDIMSE implements dimse.Handler.
func (l *moveLimit) ServeDIMSE(w dimse.ResponseWriter, r *dimse.Request) {
	host := r.Peer.Host()
	if !l.enter(host) {
		dimse.Fail(w, r, &dimse.StatusError{Status: dimse.OutOfResources, Comment: "too many moves at a time from this address"})
		return
	}
	defer l.leave(host)
	l.Handler.ServeDIMSE(w, r)
}

// NegotiateExtended implements dimse.Negotiator for the handler inside.
func (l *moveLimit) NegotiateExtended(class uid.UID, info []byte) []byte {
	if n, ok := l.Handler.(dimse.Negotiator); ok {
		return n.NegotiateExtended(class, info)
	}
	return nil
}

func (l *moveLimit) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[host] >= maxMoves {
		return false
	}
	l.running[host]++
	return true
}

func (l *moveLimit) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[host]--; l.running[host] == 0 {
		delete(l.running, host)
	}
}
