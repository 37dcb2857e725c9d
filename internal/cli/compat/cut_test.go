package compat

import (
	"io"
	"net"
)

// cutOnce forwards connections to addr, the first of them only for so many bytes.
func cutOnce(l net.Listener, addr string) {
	limit := int64(8000)
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go forward(c, addr, limit)
		limit = 1 << 40
	}
}

func forward(c net.Conn, addr string, limit int64) {
	defer c.Close()
	p, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer p.Close()
	go io.Copy(c, p)
	io.Copy(p, io.LimitReader(c, limit))
}
