package jxl

// jpegWriter writes a JPEG file (T.81 annex B).
type jpegWriter struct {
	*jpegFile
	out           []byte
	width, height int
	progressive   bool
	restarting    bool               // the restart interval has been told
	tables        [2][4]*jpegHuffman // in use, for DC and AC
	next          struct{ app, comment, between, quant, huffman, scan int }
	bits          uint64 // not yet written, the next one highest
	free          uint   // of bits
}

func (w *jpegWriter) put(b ...byte) { w.out = append(w.out, b...) }

func (w *jpegWriter) segment(m byte, length int) { w.put(0xFF, m, byte(length>>8), byte(length)) }

func (w *jpegWriter) write() error {
	w.put(0xFF, 0xD8)
	for _, m := range w.markers {
		var err error
		switch {
		case m == 0xC0 || m == 0xC1 || m == 0xC2:
			w.frameHeader(m)
		case m == 0xC4:
			err = w.huffmanTables()
		case m == 0xDB:
			err = w.quantTables()
		case m >= 0xD0 && m <= 0xD7:
			w.put(0xFF, m)
		case m == 0xD9:
			w.put(0xFF, 0xD9)
			w.put(w.tail[0].bytes...)
		case m == 0xDA:
			s := &w.scans[w.next.scan]
			w.next.scan++
			err = w.scan(s)
		case m == 0xDD:
			w.restarting = true
			w.segment(m, 4)
			w.put(byte(w.restart>>8), byte(w.restart))
		case m&0xF0 == 0xE0:
			w.put(0xFF)
			w.put(w.apps[w.next.app].bytes...)
			w.next.app++
		case m == 0xFE:
			w.put(0xFF)
			w.put(w.comments[w.next.comment].bytes...)
			w.next.comment++
		case m == intermarker:
			w.put(w.between[w.next.between].bytes...)
			w.next.between++
		default:
			err = UnsupportedError("a JPEG file of another process")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *jpegWriter) frameHeader(m byte) {
	w.progressive = m == 0xC2
	w.segment(m, 8+3*len(w.comps))
	w.put(8, byte(w.height>>8), byte(w.height), byte(w.width>>8), byte(w.width), byte(len(w.comps)))
	for i := range w.comps {
		c := &w.comps[i]
		w.put(c.id, byte(c.h<<4|c.v), w.quant[c.quant].index)
	}
}

func (w *jpegWriter) quantTables() error {
	at := len(w.out)
	w.segment(0xDB, 0)
	for last := false; !last; w.next.quant++ {
		if w.next.quant >= len(w.quant) {
			return FormatError("a JPEG file without a table that it has a marker for")
		}
		q := &w.quant[w.next.quant]
		last = q.last
		w.put(q.index)
		if q.wide {
			w.out[len(w.out)-1] |= 0x10
		}
		for _, k := range natural[0].get(0) {
			if q.wide {
				w.put(byte(q.values[k] >> 8))
			}
			w.put(byte(q.values[k]))
		}
	}
	w.setLength(at)
	return nil
}

// setLength sets the length of the segment that begins at at and ends here.
func (w *jpegWriter) setLength(at int) {
	n := len(w.out) - at - 2
	w.out[at+2], w.out[at+3] = byte(n>>8), byte(n)
}

func (w *jpegWriter) huffmanTables() error {
	at := len(w.out)
	w.segment(0xC4, 0)
	for last := false; !last; w.next.huffman++ {
		if w.next.huffman >= len(w.huffman) {
			return FormatError("a JPEG file without a table that it has a marker for")
		}
		h := &w.huffman[w.next.huffman]
		last = h.last
		w.tables[h.slot>>4][h.slot&3] = h
		w.put(h.slot)
		longest := 16
		for h.counts[longest] == 0 {
			longest--
		}
		for l := 1; l <= 16; l++ {
			n := h.counts[l]
			if l == longest {
				n--
			}
			w.put(byte(n))
		}
		for _, v := range h.values[:len(h.values)-1] {
			w.put(byte(v))
		}
	}
	w.setLength(at)
	return nil
}

// emit writes n bits, at most 16. A byte of all ones is followed by one of zeros (T.81 F.1.2.3).
func (w *jpegWriter) emit(v uint32, n uint) {
	w.bits = w.bits<<n | uint64(v&(1<<n-1))
	for w.free += n; w.free >= 8; w.free -= 8 {
		b := byte(w.bits >> (w.free - 8))
		w.put(b)
		if b == 0xFF {
			w.put(0)
		}
	}
}

// pad fills up the last byte, with ones or with what the file had.
func (w *jpegWriter) pad() error {
	n := (8 - w.free) & 7
	if !w.padded {
		w.emit(1<<n-1, n)
		return nil
	}
	if int(n) > len(w.pads) {
		return FormatError("a JPEG file without the bits that fill it up")
	}
	for _, b := range w.pads[:n] {
		w.emit(uint32(b), 1)
	}
	w.pads = w.pads[n:]
	return nil
}
