package j2k

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// DecodeInfo reads the main header of a codestream or a JP2 file.
func DecodeInfo(src []byte) (Info, error) {
	var s stream
	if _, err := s.parseMain(unwrap(src)); err != nil {
		return Info{}, err
	}
	return s.info(0), nil
}

func (s *stream) info(reduce int) Info {
	x0, y0, x1, y1 := s.area(reduce)
	c := s.comps[0]
	i := Info{Width: int(x1 - x0), Height: int(y1 - y0), Components: len(s.comps), Signed: c.signed, Reversible: true, Levels: s.main.comps[0].levels, Layers: s.main.layers, HT: s.ht}
	for k, c := range s.comps {
		i.Bits = max(i.Bits, c.bits)
		i.Reversible = i.Reversible && s.main.comps[k].reversible
	}
	return i
}

// area is the image in samples of its components, which are all alike.
func (s *stream) area(reduce int) (x0, y0, x1, y1 int64) {
	c := s.comps[0]
	return ceilShift(ceilDiv(s.x0, c.dx), reduce), ceilShift(ceilDiv(s.y0, c.dy), reduce),
		ceilShift(ceilDiv(s.x1, c.dx), reduce), ceilShift(ceilDiv(s.y1, c.dy), reduce)
}

// Decode appends the samples of an image to dst: interleaved components, a byte each up to
// 8 bits, two up to 16, else four, little endian, two's complement where signed. src is a
// codestream or a JP2 file, of which palette and channel boxes are not applied. Errors are
// of the types FormatError and UnsupportedError; then dst is returned as it was, unless
// o.Partial asks for the image so far, zero where nothing is known. With o.Reduce the first
// PrefixLength bytes of a codestream are enough.
func Decode(dst, src []byte, o DecodeOptions) ([]byte, Info, error) {
	var s stream
	src = unwrap(src)
	rest, err := s.parseMain(src)
	if err != nil {
		return dst, Info{}, err
	}
	if o.Reduce < 0 || o.Reduce > maxLevels {
		return dst, Info{}, FormatError(fmt.Sprintf("no reduction by %d levels", o.Reduce))
	}
	info := s.info(o.Reduce)
	x0, y0, x1, y1 := s.area(0)
	if err = o.Limits.check(x1-x0, y1-y0, int64(len(s.comps)), len(src)); err != nil {
		return dst, info, err
	}
	if info.Width <= 0 || info.Height <= 0 {
		return dst, info, FormatError("no samples")
	}
	s.parseTiles(rest)
	if o.Reduce > 0 { // what it does not need may be missing
		s.cut, s.rest = nil, s.cut
	}
	if s.cut != nil && !o.Partial {
		return dst, info, s.cut
	}
	at, size := len(dst), int(info.Size())
	dst = slices.Grow(dst, size)[:at+size]
	clear(dst[at:])
	if err = s.decodeTiles(dst[at:], info, len(src), o); err != nil && !o.Partial {
		return dst[:at], info, err
	}
	return dst, info, err
}

// decodeTiles returns the first flaw, having decoded what it could if o.Partial.
func (s *stream) decodeTiles(px []byte, info Info, length int, o DecodeOptions) error {
	first := s.cut
	for _, index := range s.order {
		err := s.decodeTile(px, info, index, length, o)
		if err != nil && first == nil {
			first = err
		}
		if first != nil && !o.Partial {
			return first
		}
	}
	if first == nil && int64(len(s.order)) < s.tilesX*s.tilesY {
		if first = s.rest; first == nil {
			first = FormatError("tiles are missing")
		}
	}
	return first
}

// packetsOf makes ready to read the packets of a tile.
func (s *stream) packetsOf(index, length int) (*packets, error) {
	td := s.tiles[index]
	p := &s.main
	if td.own != nil {
		p = td.own
	}
	t, err := s.newTile(index, p, length)
	if err != nil {
		return nil, err
	}
	return &packets{t: t, body: td.body, heads: td.headers, packed: td.packed, budget: 1<<16 + 16*int64(length)}, nil
}

// reducible reports whether all components have that many decompositions.
func (p *params) reducible(reduce int) error {
	for k := range p.comps {
		if p.comps[k].levels < reduce {
			return FormatError(fmt.Sprintf("no reduction by %d levels", reduce))
		}
	}
	return nil
}

func (s *stream) decodeTile(px []byte, info Info, index, length int, o DecodeOptions) error {
	k, err := s.packetsOf(index, length)
	if err != nil {
		return err
	}
	t := k.t
	if err := t.p.reducible(o.Reduce); err != nil {
		return err
	}
	k.want(o.Reduce, o.Layers)
	flaw := k.all()
	if flaw != nil && !o.Partial {
		return flaw
	}
	planes, err := t.coefficients(o)
	defer release(planes)
	if err != nil && (planes == nil || !o.Partial) {
		return err
	}
	if flaw == nil {
		flaw = err
	}
	if err := t.checkColour(planes); err != nil {
		return err
	}
	t.store(px, info, planes, o.Reduce)
	return flaw
}

// job is a code block to be decoded.
type job struct {
	cb *codeBlock
	b  *band
	c  *coding
	p  *plane

	err error
}

// decoders are what a worker needs.
type decoders struct {
	part1 blockDecoder
	ht    htDecoder
	deep  []uint64
}

// coefficients decodes the code blocks, o.Workers at the same time. Where o.Partial, a
// damaged one is left out and its flaw returned beside the planes.
func (t *tile) coefficients(o DecodeOptions) ([]plane, error) {
	deep := t.s.info(0).deep()
	planes := make([]plane, len(t.comps))
	for i := range t.comps {
		tc := &t.comps[i]
		res := &tc.res[tc.c.levels-o.Reduce]
		if n := t.s.comps[i].bits; n > 28 && !tc.c.reversible {
			return nil, UnsupportedError(fmt.Sprintf("%d bits by the irreversible wavelet", n))
		}
		planes[i] = newPlane(int(res.x1-res.x0), int(res.y1-res.y0), tc.c.reversible, deep)
	}
	var jobs []job
	for _, q := range t.precincts {
		c := t.comps[q.comp].c
		if q.res > c.levels-o.Reduce {
			continue
		}
		for i := range q.parts {
			for j := range q.parts[i].blocks {
				cb := &q.parts[i].blocks[j]
				n := q.parts[i].band.planes + c.roi
				if c.style&styleHT == 0 {
					n -= cb.zero
				}
				if cb.included && (n > planes[q.comp].most() || n < 0) {
					return nil, UnsupportedError(fmt.Sprintf("%d bit planes", n))
				}
				if cb.included {
					jobs = append(jobs, job{cb: cb, b: q.parts[i].band, c: c, p: &planes[q.comp]})
				}
			}
		}
	}
	err := runAll(jobs, o.Workers, func() func(*job) error {
		d := new(decoders)
		return func(j *job) error {
			j.err = j.run(d)
			if o.Partial {
				return nil
			}
			return j.err
		}
	})
	for i := range jobs {
		if err == nil {
			err = jobs[i].err
		}
	}
	return planes, err
}

// runAll does the jobs with as many workers, each with a function of its own; the first
// error ends them.
func runAll[J any](jobs []J, workers int, worker func() func(*J) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, len(jobs))
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			do := worker()
			for i := next.Add(1) - 1; i < int64(len(jobs)) && errs[w] == nil; i = next.Add(1) - 1 {
				errs[w] = do(&jobs[i])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// run decodes a block.
func (j *job) run(d *decoders) error {
	n := j.b.planes + j.c.roi - j.cb.zero
	if j.c.style&styleHT != 0 {
		if j.p.l != nil {
			err := d.ht.decodeDeep(j.cb, n)
			if err == nil {
				j.placeDeep(d.ht.deep, d.ht.stride)
			}
			return err
		}
		if err := d.ht.decode(j.cb, j.c.style, n); err != nil {
			return err
		}
		j.place(d.ht.data, d.ht.stride)
		return nil
	}
	d.part1.decode(j.cb, j.b.orient, j.c.style, n)
	if j.p.l != nil {
		d.deep = d.part1.join(d.deep)
		j.placeDeep(d.deep, d.part1.w)
		return nil
	}
	j.place(d.part1.data, d.part1.w)
	return nil
}

// place takes the region of interest of a block down (T.800 H.1) and quantization back
// (E.1).
func (j *job) place(data []uint32, stride int) {
	w, h := int(j.cb.x1-j.cb.x0), int(j.cb.y1-j.cb.y0)
	x, y := j.b.atX+int(j.cb.x0-j.b.x0), j.b.atY+int(j.cb.y0-j.b.y0)
	for r := range h {
		src, to := data[r*stride:r*stride+w], (y+r)*j.p.w+x
		if j.c.roi > 0 {
			for i, v := range src {
				if m := v &^ signBit; m>>1 >= 1<<j.c.roi {
					src[i] = v&signBit | m>>j.c.roi
				}
			}
		}
		if j.c.reversible {
			dst := j.p.i[to : to+w]
			n := startUnfold(dst, src)
			dst = dst[n:]
			for i, v := range src[n:] {
				s := int32(v) >> 31
				dst[i] = (int32(v&^signBit)>>1 ^ s) - s
			}
			continue
		}
		dst := j.p.f[to : to+w]
		for i, v := range src {
			f := float32(v&^signBit) * (j.b.step / 2)
			if v&signBit != 0 {
				f = -f
			}
			dst[i] = f
		}
	}
}

// checkColour refuses a component transformation that there is none for.
func (t *tile) checkColour(p []plane) error {
	if !t.p.mct || len(p) < 3 {
		return nil
	}
	if r := p[0].f != nil; r != (p[1].f != nil) || r != (p[2].f != nil) {
		return FormatError("component transformation over different wavelets")
	}
	return nil
}

// colour undoes the component transformation in a row (T.800 Annex G).
func colour(rows []line) {
	if rows[0].f == nil {
		colour53(rows[0].i, rows[1].i, rows[2].i)
		colour53(rows[0].l, rows[1].l, rows[2].l)
		return
	}
	a, b, c := rows[0].f, rows[1].f, rows[2].f
	for i, y := range a {
		a[i], b[i], c[i] = y+1.402*c[i], y-0.344136*b[i]-0.714136*c[i], y+1.772*b[i]
	}
}

// colour53 is the reversible one (T.800 G.2.2).
func colour53[T whole](a, b, c []T) {
	for i, y := range a {
		g := y - (b[i]+c[i])>>2
		a[i], b[i], c[i] = c[i]+g, g, b[i]+g
	}
}

// line is a row of a component.
type line struct {
	i []int32
	l []int64
	f []float32
}

// store transforms the planes back and writes the samples of a tile row by row.
func (t *tile) store(px []byte, info Info, planes []plane, reduce int) {
	ox, oy, _, _ := t.s.area(reduce)
	sources, rows := make([]source, len(planes)), make([]line, len(planes))
	for k := range planes {
		sources[k] = t.comps[k].inverse(&planes[k], t.comps[k].c.levels-reduce)
	}
	p := &planes[0]
	if p.w == 0 {
		return
	}
	x, y := int(ceilShift(t.comps[0].x0, reduce)-ox), int(ceilShift(t.comps[0].y0, reduce)-oy)
	width := info.SampleBytes()
	for r := range p.h {
		for k, s := range sources {
			switch {
			case s.i != nil:
				rows[k].i = s.i()
			case s.l != nil:
				rows[k].l = s.l()
			default:
				rows[k].f = s.f()
			}
		}
		if t.p.mct && len(rows) >= 3 {
			colour(rows)
		}
		at := ((y+r)*info.Width + x) * info.Components * width
		for k := range rows {
			t.s.comps[k].write(px[at+k*width:], &rows[k], width, info.Components*width)
		}
	}
}

// write shifts, clips and writes the samples of a row, step bytes apart.
func (c *component) write(px []byte, row *line, width, step int) {
	if row.l != nil {
		c.writeDeep(px, row.l, width, step)
		return
	}
	lo, hi, shift := int32(0), int32(1)<<c.bits-1, int32(1)<<(c.bits-1)
	if c.signed {
		lo, hi, shift = -shift, shift-1, 0
	}
	n := 0
	if step == width && width <= 2 {
		n = startWrite(px, row.i, width, shift, lo, hi)
	}
	for i, v := range row.i[n:] {
		put(px[(n+i)*step:], max(lo, min(hi, v+shift)), width)
	}
	for i, v := range row.f {
		n := int32(max(-1<<30, min(1<<30, math.RoundToEven(float64(v)))))
		put(px[i*step:], max(lo, min(hi, n+shift)), width)
	}
}

func put(b []byte, v int32, width int) {
	switch width {
	case 1:
		b[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(v))
	default:
		binary.LittleEndian.PutUint64(b, uint64(int64(v)))
	}
}
