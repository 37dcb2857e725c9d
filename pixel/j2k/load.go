package j2k

import "encoding/binary"

// loader reads the samples of a component row by row, unsigned ones shifted to around zero
// (T.800 G.1), through the component transformation (Annex G).
type loader struct {
	src  []byte
	info Info
	comp int
	mct  bool
	y    int
}

// source gives rows for the one wavelet or the other.
func (l *loader) source(reversible bool) source {
	switch {
	case !reversible:
		return source{f: rowsBy(l, len(lifts97), l.mixer97())}
	case l.info.deep():
		return source{l: rowsBy(l, 2, mixer53(l, l.loadDeep))}
	}
	return source{i: rowsBy(l, 2, mixer53(l, l.load))}
}

// rowsBy has mix fill one row after the other; each is good for so many steps.
func rowsBy[T number](l *loader, steps int, mix func(row []T)) func() []T {
	ring := newRing[T](steps, l.info.Width)
	return func() []T {
		row := ring[l.y%len(ring)]
		mix(row)
		l.y++
		return row
	}
}

// mixer53 makes what fills a row with the reversible transformation's component.
func mixer53[T whole](l *loader, load func(row []T, comp int)) func(row []T) {
	if !l.mct {
		return func(row []T) { load(row, l.comp) }
	}
	r, g, b := make([]T, l.info.Width), make([]T, l.info.Width), make([]T, l.info.Width)
	return func(row []T) {
		switch load(g, 1); l.comp {
		case 0:
			load(r, 0)
			load(b, 2)
			for i, v := range g {
				row[i] = (r[i] + 2*v + b[i]) >> 2
			}
		default:
			load(row, 4-2*l.comp) // blue, then red
			for i, v := range g {
				row[i] -= v
			}
		}
	}
}

// mixer97 is mixer53 of the irreversible transformation.
func (l *loader) mixer97() func(row []float32) {
	r, g, b := make([]int32, l.info.Width), make([]int32, l.info.Width), make([]int32, l.info.Width)
	return func(row []float32) {
		if !l.mct {
			l.load(g, l.comp)
			for i, v := range g {
				row[i] = float32(v)
			}
			return
		}
		l.load(r, 0)
		l.load(g, 1)
		l.load(b, 2)
		for i := range row {
			red, blue := float32(r[i]), float32(b[i])
			y := 0.299*red + 0.587*float32(g[i]) + 0.114*blue
			row[i] = [3]float32{y, (blue - y) / 1.772, (red - y) / 1.402}[l.comp]
		}
	}
}

// load reads the row at l.y of a component.
func (l *loader) load(row []int32, comp int) {
	width := l.info.SampleBytes()
	step := width * l.info.Components
	src := l.src[l.y*l.info.Width*step+comp*width:]
	unused := 32 - l.info.Bits
	shift := int32(1) << (l.info.Bits - 1)
	switch {
	case l.info.Signed:
		for i := range row {
			row[i] = get(src[i*step:], width) << unused >> unused
		}
	default:
		n := 0
		if step == width && width <= 2 {
			n = startLoad(row, src, width, 1<<l.info.Bits-1, shift)
		}
		for i := n; i < len(row); i++ {
			row[i] = int32(uint32(get(src[i*step:], width))<<unused>>unused) - shift
		}
	}
}

func get(b []byte, width int) int32 {
	switch width {
	case 1:
		return int32(b[0])
	case 2:
		return int32(binary.LittleEndian.Uint16(b))
	}
	return int32(binary.LittleEndian.Uint32(b))
}
