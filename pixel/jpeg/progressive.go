package jpeg

import "gantry/pixel/internal/bits"

// progressive adds to the coefficients of a block what a scan has of them (T.81 G.2).
func (d *decoder) progressive(r *bits.Reader, s *scan, k int, f *[64]int16) bool {
	switch {
	case s.start == 0 && s.high == 0:
		n := s.dc[k].symbol(r)
		if n < 0 || n > 16 {
			return false
		}
		s.comps[k].pred += extend(r, n)
		f[0] = int16(s.comps[k].pred << s.low)
		return true
	case s.start == 0:
		f[0] |= int16(r.Take(1) << s.low)
		return true
	case s.high == 0:
		return d.firstBits(r, s, k, f)
	}
	return d.nextBit(r, s, k, f)
}

// run reads how many blocks have no more coefficients (T.81 Figure G.3).
func run(r *bits.Reader, log int) int {
	return 1<<log + int(r.Take(log))
}

// firstBits decodes AC coefficients that no scan had yet.
func (d *decoder) firstBits(r *bits.Reader, s *scan, k int, f *[64]int16) bool {
	if d.eobRun > 0 {
		d.eobRun--
		return true
	}
	for i := s.start; i <= s.end; i++ {
		rs := s.ac[k].symbol(r)
		if rs < 0 {
			return false
		}
		zeros, size := rs>>4, rs&15
		if size == 0 {
			if zeros < 15 {
				d.eobRun = run(r, zeros) - 1
				return true
			}
			i += 15
			continue
		}
		if i += zeros; i > s.end {
			return false
		}
		f[i] = int16(extend(r, size) << s.low)
	}
	return true
}

// nextBit decodes one more bit of AC coefficients, and those that it makes other than zero
// (T.81 G.1.2.3).
func (d *decoder) nextBit(r *bits.Reader, s *scan, k int, f *[64]int16) bool {
	i := s.start
	for d.eobRun == 0 && i <= s.end {
		rs := s.ac[k].symbol(r)
		if rs < 0 {
			return false
		}
		zeros, size := rs>>4, rs&15
		var v int16
		switch size {
		case 0:
			if zeros < 15 {
				d.eobRun = run(r, zeros)
				continue
			}
		case 1:
			if v = -1 << s.low; r.Take(1) == 1 {
				v = 1 << s.low
			}
		default:
			return false
		}
		i = correct(r, s, f, i, zeros)
		if v != 0 {
			if i > s.end {
				return false
			}
			f[i] = v
		}
		i++
	}
	if d.eobRun > 0 {
		correct(r, s, f, i, 64)
		d.eobRun--
	}
	return true
}

// correct reads a bit for each coefficient that is not zero, and passes over so many zeros.
// It returns where the next zero is.
func correct(r *bits.Reader, s *scan, f *[64]int16, i, zeros int) int {
	for ; i <= s.end; i++ {
		v := f[i]
		if v == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if r.Take(1) == 1 && v&(1<<s.low) == 0 {
			if v > 0 {
				v += 1 << s.low
			} else {
				v -= 1 << s.low
			}
			f[i] = v
		}
	}
	return i
}
