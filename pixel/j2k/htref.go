package j2k

// refs is what the passes behind the cleanup pass work with.
type refs struct {
	known []uint8 // 1 significant by the cleanup pass, 2 by the significance propagation pass
	fw    int
}

const (
	byCleanup = 1 << iota
	byPropagation
)

// refine does the significance propagation pass, and the magnitude refinement pass if
// there are two (T.814 7.4, 7.5), for the bit of the given plane.
func (d *htDecoder) refine(b []byte, passes int, plane uint, causal bool) {
	d.fw = d.w + 2
	d.known = sized(d.known, d.fw*(d.h+2))
	for y := range d.h {
		for x := range d.w {
			if d.data[y*d.stride+x] != 0 {
				d.known[(y+1)*d.fw+x+1] = byCleanup
			}
		}
	}
	d.mag = unstuff(d.mag, b, 0)
	d.propagate(d.mag, plane, causal)
	if passes > 1 {
		d.mag = unstuffBack(packed{b: d.mag[:0]}, b, true)
		d.magnitudeBits(plane)
	}
}

// near reports whether a neighbour of a sample is significant.
func (d *htDecoder) near(x, y int, causal bool) bool {
	i := (y+1)*d.fw + x + 1
	k := d.known
	any := k[i-d.fw-1] | k[i-d.fw] | k[i-d.fw+1] | k[i-1] | k[i+1]
	if !causal || y&3 != 3 {
		any |= k[i+d.fw-1] | k[i+d.fw] | k[i+d.fw+1]
	}
	return any != 0
}

// propagate goes by four columns of four rows: first what is significant now, then signs.
func (d *htDecoder) propagate(b []byte, plane uint, causal bool) {
	at := uint(0)
	for y0 := 0; y0 < d.h; y0 += 4 {
		for x0 := 0; x0 < d.w; x0 += 4 {
			var fresh [16]int
			n := 0
			for x := x0; x < min(x0+4, d.w); x++ {
				for y := y0; y < min(y0+4, d.h); y++ {
					if d.known[(y+1)*d.fw+x+1] != 0 || !d.near(x, y, causal) {
						continue
					}
					if look(b, at)&1 != 0 {
						d.known[(y+1)*d.fw+x+1] = byPropagation
						fresh[n] = y*d.stride + x
						n++
					}
					at++
				}
			}
			for _, i := range fresh[:n] {
				d.data[i] = 3<<plane | uint32(look(b, at)&1)<<31
				at++
			}
		}
	}
}

// magnitudeBits moves the samples of the cleanup pass by half of their uncertainty.
func (d *htDecoder) magnitudeBits(plane uint) {
	at := uint(0)
	for y0 := 0; y0 < d.h; y0 += 4 {
		for x := range d.w {
			for y := y0; y < min(y0+4, d.h); y++ {
				if d.known[(y+1)*d.fw+x+1]&byCleanup == 0 {
					continue
				}
				i := y*d.stride + x
				if look(d.mag, at)&1 != 0 {
					d.data[i] += 1 << plane
				} else {
					d.data[i] -= 1 << plane
				}
				at++
			}
		}
	}
}
