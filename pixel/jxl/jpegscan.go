package jxl

import "math/bits"

// scanWriter codes a scan of a JPEG file (T.81 F.1.2, G.1.2).
type scanWriter struct {
	*jpegWriter
	s              *jpegScan
	ss, se, al, ah int
	order          []uint32 // places of coefficients in the order of the file
	last           [4]int32 // DC of the component's block before
	ends           int      // ends of bands in a row
	endTable       *jpegHuffman
	corrections    []byte // bits that follow the run of ends of bands
	err            error
}

const maxCorrections = 1<<16 - 63

func (w *jpegWriter) scan(s *jpegScan) error {
	n := len(s.comps)
	w.segment(0xDA, 6+2*n)
	w.put(byte(n))
	for _, c := range s.comps {
		w.put(w.comps[c.comp].id, byte(c.dc<<4|c.ac))
	}
	w.put(byte(s.ss), byte(s.se), byte(s.ah<<4|s.al))
	e := &scanWriter{jpegWriter: w, s: s, se: 63, order: natural[0].get(0)}
	if w.progressive {
		e.ss, e.se, e.al, e.ah = s.ss, s.se, s.al, s.ah
	}
	if e.ss > e.se || n > 3 {
		return FormatError("a JPEG file with a scan that is none")
	}
	return e.blocks()
}

// blocks codes all blocks of a scan: in MCUs where it has several components (T.81 A.2).
func (e *scanWriter) blocks() error {
	hmax, vmax := 1, 1
	for i := range e.comps {
		hmax, vmax = max(hmax, e.comps[i].h), max(vmax, e.comps[i].v)
	}
	h, v := 1, 1
	if len(e.s.comps) == 1 {
		c := &e.comps[e.s.comps[0].comp]
		h, v = c.h, c.v
	}
	across, down := ceilDiv(e.width*h, 8*hmax), ceilDiv(e.height*v, 8*vmax)
	index, marks := 0, byte(0)
	for mcu := range across * down {
		if e.restarting && e.restart > 0 && mcu > 0 && mcu%e.restart == 0 {
			e.flush()
			if err := e.pad(); err != nil {
				return err
			}
			e.put(0xFF, 0xD0+marks)
			marks = (marks + 1) & 7
			e.last = [4]int32{}
		}
		for _, c := range e.s.comps {
			w, h := 1, 1
			if len(e.s.comps) > 1 {
				w, h = e.comps[c.comp].h, e.comps[c.comp].v
			}
			for k := range w * h {
				if err := e.block(c, index, mcu%across*w+k%w, mcu/across*h+k/w); err != nil {
					return err
				}
				index++
			}
		}
	}
	e.flush()
	if err := e.pad(); err != nil {
		return err
	}
	return e.err
}

// block codes a block, the index-th of the scan.
func (e *scanWriter) block(c jpegScanComponent, index, x, y int) error {
	if len(e.s.resets) > 0 && e.s.resets[0] == index {
		e.flush()
		e.s.resets = e.s.resets[1:]
	}
	runs := 0
	if len(e.s.zeroRuns) > 0 && e.s.zeroRuns[0].block == index {
		runs = e.s.zeroRuns[0].count
		e.s.zeroRuns = e.s.zeroRuns[1:]
	}
	comp := &e.comps[c.comp]
	at := 64 * (y*comp.w + x)
	if x >= comp.w || at+64 > len(comp.coef) {
		return FormatError("a JPEG file of another size")
	}
	coef := comp.coef[at:][:64]
	dc, ac := e.tables[0][c.dc], e.tables[1][c.ac]
	switch {
	case !e.progressive || e.ss == 0 && e.se == 63 && e.al == 0 && e.ah == 0:
		e.codeDC(dc, c.comp, int32(coef[0]))
		e.sequential(ac, coef, runs)
	case e.ah == 0:
		if e.ss == 0 {
			e.codeDC(dc, c.comp, int32(coef[0])>>e.al)
		}
		e.first(ac, coef, runs)
	default:
		if e.ss == 0 {
			e.emit(uint32(coef[0])>>e.al, 1)
		}
		e.refine(ac, coef)
	}
	return e.err
}

// symbol codes a symbol.
func (e *scanWriter) symbol(h *jpegHuffman, s int) {
	if h == nil || h.size[s] == 0 {
		e.err = FormatError("a JPEG file with a table that lacks a code")
		return
	}
	e.emit(uint32(h.code[s]), uint(h.size[s]))
}

// codeDC codes a difference from the block before.
func (e *scanWriter) codeDC(h *jpegHuffman, comp int, v int32) {
	d := v - e.last[comp]
	e.last[comp] = v
	n := bits.Len32(uint32(max(d, -d)))
	e.symbol(h, n)
	e.value(d, uint(n))
}

// value writes the bits of a number of which the highest one is known.
func (e *scanWriter) value(v int32, n uint) {
	if v < 0 {
		v--
	}
	e.emit(uint32(v), n)
}

func (e *scanWriter) sequential(h *jpegHuffman, coef []int16, runs int) {
	zeros := 0
	for k := 1; k < 64; k++ {
		v := int32(coef[e.order[k]])
		if v == 0 {
			zeros++
			continue
		}
		e.nonzero(h, v, zeros)
		zeros = 0
	}
	for range runs {
		e.symbol(h, 0xF0)
		zeros -= 16
	}
	if zeros > 0 {
		e.symbol(h, 0)
	}
}

// nonzero codes a coefficient behind so many zeros.
func (e *scanWriter) nonzero(h *jpegHuffman, v int32, zeros int) {
	for ; zeros > 15; zeros -= 16 {
		e.symbol(h, 0xF0)
	}
	n := bits.Len32(uint32(max(v, -v)))
	e.symbol(h, zeros<<4|n)
	e.value(v, uint(n))
}

// first codes the first bits of a band (T.81 G.1.2.2).
func (e *scanWriter) first(h *jpegHuffman, coef []int16, runs int) {
	zeros := 0
	for k := max(e.ss, 1); k <= e.se; k++ {
		v := int32(coef[e.order[k]])
		if v < 0 {
			v = -(-v >> e.al)
		} else {
			v >>= e.al
		}
		if v == 0 {
			zeros++
			continue
		}
		e.flush()
		e.nonzero(h, v, zeros)
		zeros = 0
	}
	if runs > 0 {
		e.flush()
	}
	for range runs {
		e.symbol(h, 0xF0)
		zeros -= 16
	}
	if zeros > 0 {
		e.endBand(h, nil)
	}
}

// refine codes the next bit of a band (T.81 G.1.2.3).
func (e *scanWriter) refine(h *jpegHuffman, coef []int16) {
	var mag [64]int32
	end := 0
	for k := max(e.ss, 1); k <= e.se; k++ {
		v := int32(coef[e.order[k]])
		if mag[k] = max(v, -v) >> e.al; mag[k] == 1 {
			end = k
		}
	}
	zeros := 0
	var pending []byte
	for k := max(e.ss, 1); k <= e.se; k++ {
		if mag[k] == 0 {
			zeros++
			continue
		}
		for ; zeros > 15 && k <= end; zeros -= 16 {
			e.flush()
			e.symbol(h, 0xF0)
			pending = e.correct(pending)
		}
		if mag[k] > 1 {
			pending = append(pending, byte(mag[k]&1))
			continue
		}
		e.flush()
		e.symbol(h, zeros<<4|1)
		sign := uint32(1)
		if coef[e.order[k]] < 0 {
			sign = 0
		}
		e.emit(sign, 1)
		pending = e.correct(pending)
		zeros = 0
	}
	if zeros > 0 || len(pending) > 0 {
		e.endBand(h, pending)
	}
}

// correct writes bits one by one, and empties the list.
func (e *scanWriter) correct(b []byte) []byte {
	for _, v := range b {
		e.emit(uint32(v), 1)
	}
	return b[:0]
}

// endBand says that nothing more comes in a block, and keeps bits for behind that.
func (e *scanWriter) endBand(h *jpegHuffman, corrections []byte) {
	if e.ends == 0 {
		e.endTable = h
	}
	e.ends++
	e.corrections = append(e.corrections, corrections...)
	if e.ends == 0x7FFF || len(e.corrections) > maxCorrections || e.ss == 0 {
		e.flush()
	}
}

// flush writes the run of ends of bands, and the bits behind it.
func (e *scanWriter) flush() {
	if e.ends > 0 {
		n := bits.Len(uint(e.ends)) - 1
		e.symbol(e.endTable, n<<4)
		e.emit(uint32(e.ends), uint(n))
		e.ends = 0
	}
	e.corrections = e.correct(e.corrections)
}
