package dicomtest

import (
	"net"
	"sync/atomic"
	"time"
)

// CutConn is a connection that is closed after so many bytes were written to it: a peer
// that dies anywhere. The last write is cut short.
type CutConn struct {
	net.Conn
	left atomic.Int64
}

// Cut returns nc cut after n written bytes.
func Cut(nc net.Conn, n int64) *CutConn {
	c := &CutConn{Conn: nc}
	c.left.Store(n)
	return c
}

// Write writes what is left and closes the connection when that is used up.
func (c *CutConn) Write(p []byte) (int, error) {
	left := c.left.Add(-int64(len(p)))
	if left > 0 {
		return c.Conn.Write(p)
	}
	n := max(0, len(p)+int(left))
	n, _ = c.Conn.Write(p[:n])
	c.Conn.Close()
	return n, net.ErrClosed
}

// SlowConn is a connection that reads and writes at most Chunk bytes at a time, with a
// pause before each.
type SlowConn struct {
	net.Conn
	Chunk int
	Pause time.Duration
}

// Read reads at most Chunk bytes after the pause.
func (c *SlowConn) Read(p []byte) (int, error) {
	time.Sleep(c.Pause)
	return c.Conn.Read(p[:min(len(p), c.Chunk)])
}

// Write writes Chunk bytes at a time.
func (c *SlowConn) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		time.Sleep(c.Pause)
		n, err := c.Conn.Write(p[done:min(len(p), done+c.Chunk)])
		if done += n; err != nil {
			return done, err
		}
	}
	return len(p), nil
}
