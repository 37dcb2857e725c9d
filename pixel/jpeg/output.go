package jpeg

import "encoding/binary"

// output puts the components' samples together.
func (d *decoder) output(px []byte) {
	n, width := d.info.Components, d.info.Width
	var rows [maxComponents][]uint16
	wide := make([]uint16, n*(width+8))
	for y := range d.info.Height {
		for k := range n {
			rows[k] = d.row(&d.comps[k], y, wide[k*(width+8):][:width+8])[:width]
		}
		line := px[y*width*n*d.info.bytesPerSample():]
		switch {
		case d.info.Bits > 8:
			for k := range n {
				for x, v := range rows[k] {
					binary.LittleEndian.PutUint16(line[2*(x*n+k):], v)
				}
			}
		case n == 1:
			narrow(line[:width], rows[0])
		case n == 3:
			interleave(line[:3*width], rows[0], rows[1], rows[2])
		default:
			for k := range n {
				for x, v := range rows[k] {
					line[x*n+k] = byte(v)
				}
			}
		}
	}
}

// narrow makes bytes of samples, eight at a time.
func narrow(px []byte, row []uint16) {
	for ; len(row) >= 8 && len(px) >= 8; row, px = row[8:], px[8:] {
		binary.LittleEndian.PutUint64(px, uint64(row[0])|uint64(row[1])<<8|uint64(row[2])<<16|uint64(row[3])<<24|
			uint64(row[4])<<32|uint64(row[5])<<40|uint64(row[6])<<48|uint64(row[7])<<56)
	}
	for x := range px {
		px[x] = byte(row[x])
	}
}

// interleave makes bytes of the samples of three components.
func interleave(px []byte, a, b, c []uint16) {
	b, c = b[:len(a)], c[:len(a)]
	for x, v := range a {
		if len(px) < 3 {
			return
		}
		px[0], px[1], px[2] = byte(v), byte(b[x]), byte(c[x])
		px = px[3:]
	}
}

// line returns a line of a component's samples; beyond the first and last there are those.
func (c *component) line(y int) []uint16 {
	y = min(max(y, 0), c.height-1)
	return c.plane[8*c.bw*y:][:8*c.bw]
}

// row returns line y of the image of a component, interpolated where it has fewer samples.
func (d *decoder) row(c *component, y int, wide []uint16) []uint16 {
	h, v := d.hMax/c.h, d.vMax/c.v
	even := d.hMax%c.h == 0 && d.vMax%c.v == 0
	switch {
	case even && h == 1 && v == 1:
		return c.line(y)
	case even && h == 2 && v == 1 && c.width > 2:
		across(wide, c.line(y)[:c.width])
	case even && h == 2 && v == 2 && c.width > 2:
		both(wide, c.line(y / 2)[:c.width], c.line(y/2 - 1 + y%2*2)[:c.width])
	case even && h == 1 && v == 2:
		down(wide, c.line(y / 2)[:c.width], c.line(y/2 - 1 + y%2*2)[:c.width], uint32(y%2+1))
	default:
		near := c.line(y * c.v / d.vMax)
		for x := range d.info.Width {
			wide[x] = near[x*c.h/d.hMax]
		}
	}
	return wide
}

// across makes two samples of each: three quarters of the nearer and one of the farther.
func across(out, in []uint16) {
	last := len(in) - 1
	for x, v := range in {
		out2 := out[2*x:]
		if len(out2) < 2 {
			return
		}
		out2[0] = uint16((3*uint32(v) + uint32(in[max(x-1, 0)]) + 1) >> 2)
		out2[1] = uint16((3*uint32(v) + uint32(in[min(x+1, last)]) + 2) >> 2)
	}
}

// down does so between two lines.
func down(out, near, far []uint16, round uint32) {
	for x, v := range near {
		out[x] = uint16((3*uint32(v) + uint32(far[x]) + round) >> 2)
	}
}

// both does so in both directions.
func both(out, near, far []uint16) {
	sum := func(x int) uint32 { return 3*uint32(near[x]) + uint32(far[x]) }
	last := len(near) - 1
	for x := range near {
		out2 := out[2*x:]
		if len(out2) < 2 {
			return
		}
		v := 3 * sum(x)
		out2[0] = uint16((v + sum(max(x-1, 0)) + 8) >> 4)
		out2[1] = uint16((v + sum(min(x+1, last)) + 7) >> 4)
	}
}
