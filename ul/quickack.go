package ul

import (
	"net"
	"syscall"
)

// quickAckBytes is how much of a message may have come for its next read to ask for quick
// acknowledgement: a command and the start of what follows it.
const quickAckBytes = 4096

// quickAck has the kernel acknowledge what has arrived at once, where it can.
//
// A peer that leaves Nagle's algorithm on and writes a message in several small pieces, as
// DCMTK does by default, sends the second only when the first is acknowledged, and a
// receiver with nothing to say delays that by some 40 ms: RFC 1122, 4.2.3.2 and 4.2.3.4.
type quickAck struct {
	raw syscall.RawConn
	set func(fd uintptr)
}

func newQuickAck(nc net.Conn) quickAck {
	if t, ok := nc.(interface{ NetConn() net.Conn }); ok { // TLS
		nc = t.NetConn()
	}
	t, ok := nc.(*net.TCPConn)
	if !ok || setQuickAck == nil {
		return quickAck{}
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return quickAck{}
	}
	return quickAck{raw, setQuickAck}
}

// ask is for the next read only: the kernel forgets it. Its failure costs time alone.
func (q *quickAck) ask() {
	if q.raw != nil {
		q.raw.Control(q.set)
	}
}
