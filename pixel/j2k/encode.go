package j2k

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// MaxEncodeBits is the precision that Encode goes to.
const MaxEncodeBits = 38

// EncodeOptions: the zero value loses nothing.
type EncodeOptions struct {
	// Step is what the 9/7 wavelet's coefficients are rounded to, as an error in the image:
	// in units of a sample. Zero loses nothing, by the 5/3 wavelet.
	Step    float64
	Levels  int // decompositions; 0 is 5, or as many as the image is large enough for; negative is none
	Workers int // code blocks encoded at the same time; 0 is GOMAXPROCS
	NoMCT   bool
	HT      bool // high-throughput code blocks (T.814)

	// ByResolution has the packets go by resolution and position (RPCL), each resolution in a
	// tile-part of its own, and the main header tell their lengths (TLM, T.800 A.7.1): the
	// first bytes of the stream are a small image. There are as many decompositions as make
	// the smallest no wider or no higher than 64, unless Levels says how many.
	ByResolution bool
}

// Encode appends a codestream (T.800 Annex A) of the samples src, which lie as Decode
// returns them, to dst: one tile, one quality layer, blocks of 64 x 64, the resolutions one
// after the other. Three components are taken for red, green and blue and go through the
// component transformation, unless NoMCT. Of info Width, Height, Components, Bits and Signed
// count.
func Encode(dst, src []byte, info Info, o EncodeOptions) ([]byte, error) {
	if err := checkEncode(src, info, o); err != nil {
		return dst, err
	}
	at := len(dst)
	dst = appendMain(dst, info, o)
	var s stream // what a reader makes of the header: the same geometry
	if _, err := s.parseMain(appendSOT(dst[at:len(dst):len(dst)], 0, 1)); err != nil {
		return dst[:at], err
	}
	// The budget of blocks is for streams from outside.
	t, err := s.newTile(0, &s.main, math.MaxInt32)
	if err != nil {
		return dst[:at], err
	}
	if err := t.encode(src, info, o); err != nil {
		return dst[:at], err
	}
	return t.appendTile(dst, at, o), nil
}

func checkEncode(src []byte, i Info, o EncodeOptions) error {
	switch {
	case i.Width < 1 || i.Height < 1 || i.Components < 1 || i.Components > maxComponents:
		return FormatError(fmt.Sprintf("no image of %d x %d x %d samples", i.Width, i.Height, i.Components))
	case i.Bits < 1 || i.Bits > MaxEncodeBits:
		return UnsupportedError(fmt.Sprintf("%d bits", i.Bits))
	case i.deep() && o.Step > 0:
		return UnsupportedError(fmt.Sprintf("%d bits with loss, %d can be: ask for none", i.Bits, narrowBits))
	case i.Width >= 1<<31 || i.Height >= 1<<31 || int64(i.Width)*int64(i.Height) > 1<<31:
		return UnsupportedError(fmt.Sprintf("%d x %d pixels", i.Width, i.Height))
	case int64(len(src)) != i.Size():
		return FormatError(fmt.Sprintf("%d bytes of samples, want %d", len(src), i.Size()))
	case o.Step < 0 || math.IsNaN(o.Step) || o.Step > 1<<16 || o.Levels > maxLevels:
		return FormatError("step or levels out of range")
	}
	return nil
}

// levelsFor keeps the lowest resolution from getting smaller than it is worth.
func levelsFor(i Info, o EncodeOptions) int {
	switch {
	case o.Levels != 0:
		return max(0, o.Levels)
	case i.Bits > 34: // subbands would have more planes than a header can tell
		return 0
	}
	n := min(5, bits.Len(uint(min(i.Width, i.Height))/16))
	for o.ByResolution && n < maxLevels && (min(i.Width, i.Height)-1)>>n >= 64 {
		n++
	}
	return n
}

const (
	blockExp    = 6 // code blocks of 64 x 64
	transform53 = 1
)

// appendMain appends SOC, SIZ, COD and QCD (T.800 A.4, A.5, A.6).
func appendMain(dst []byte, i Info, o EncodeOptions) []byte {
	be := binary.BigEndian
	n := i.Components
	dst = be.AppendUint16(dst, mSOC)
	dst = be.AppendUint16(be.AppendUint16(dst, mSIZ), uint16(38+3*n))
	rsiz := uint16(0)
	if o.HT {
		rsiz = rsizHT
	}
	dst = be.AppendUint16(dst, rsiz)
	for _, v := range [8]int{i.Width, i.Height, 0, 0, i.Width, i.Height, 0, 0} {
		dst = be.AppendUint32(dst, uint32(v))
	}
	dst = be.AppendUint16(dst, uint16(n))
	depth := byte(i.Bits - 1)
	if i.Signed {
		depth |= 0x80
	}
	for range n {
		dst = append(dst, depth, 1, 1)
	}
	levels, mct, wavelet := levelsFor(i, o), byte(0), byte(transform53)
	if n == 3 && !o.NoMCT {
		mct = 1
	}
	if o.Step > 0 {
		wavelet = 0
	}
	style, order := byte(0), byte(0)
	if o.HT {
		style = styleHT
		dst = appendCAP(dst, i, o, levels)
	}
	if o.ByResolution {
		order = 2
	}
	dst = be.AppendUint16(be.AppendUint16(dst, mCOD), 12)
	dst = append(dst, 0, order, 0, 1, mct, byte(levels), blockExp-2, blockExp-2, style, wavelet)
	return appendQuant(dst, i, o, levels)
}

// guardBits: a high-throughput block has a bit more in the samples, which is their sign.
func guardBits(i Info, o EncodeOptions) int {
	switch {
	case i.deep():
		return 7 // the most, as exponents end at 31
	case o.HT:
		return 3
	}
	return 2
}

// exponentOf is that of a subband where nothing is lost: its planes are the exponent and the
// guard bits but one (T.800 E-2).
func exponentOf(i Info, o EncodeOptions, b int) int {
	n := i.Bits + gainOf(b)
	if i.deep() {
		n = min(n-3, 31) // as many planes as with four guard bits, or 37
	}
	return n
}

// appendCAP appends the capabilities that a stream of high-throughput blocks asks for: no
// others, one set each, and how many bits the magnitudes have (T.814 A.3).
func appendCAP(dst []byte, i Info, o EncodeOptions, levels int) []byte {
	be := binary.BigEndian
	quant := appendQuant(nil, i, o, levels)
	var c coding
	c.parseQuant(quant[4:]) // which cannot fail: it is ours
	most := 0
	for _, e := range c.expn[:3*levels+1] {
		most = max(most, int(e)+c.guard-1)
	}
	v := uint16(0)
	switch {
	case most > 27:
		v = uint16(19 + (most-27+3)/4)
	case most > 8:
		v = uint16(most - 8)
	}
	if o.Step > 0 {
		v |= 1 << 5 // the irreversible wavelet is used
	}
	dst = be.AppendUint16(be.AppendUint16(dst, mCAP), 8)
	return be.AppendUint16(be.AppendUint32(dst, capHT), v)
}

// appendQuant appends QCD: exponents alone where nothing is lost, else a step for each
// subband, so that all weigh the same in the image.
func appendQuant(dst []byte, i Info, o EncodeOptions, levels int) []byte {
	be := binary.BigEndian
	dst = be.AppendUint16(dst, mQCD)
	if o.Step == 0 {
		dst = append(be.AppendUint16(dst, uint16(4+3*levels)), byte(guardBits(i, o)<<5))
		for b := range 3*levels + 1 {
			dst = append(dst, byte(exponentOf(i, o, b))<<3)
		}
		return dst
	}
	dst = append(be.AppendUint16(dst, uint16(5+6*levels)), byte(guardBits(i, o)<<5|2))
	low, high := norms97(max(levels, 1))
	for b := range 3*levels + 1 {
		norm := 1.0
		if levels > 0 {
			depth, orient := levels, 0
			if b > 0 {
				depth, orient = levels-(b-1)/3, (b-1)%3+1
			}
			norm = [2][]float64{low, high}[orient&1][depth-1] * [2][]float64{low, high}[orient>>1][depth-1]
		}
		dst = be.AppendUint16(dst, stepOf(o.Step/norm, i.Bits+gainOf(b)))
	}
	return dst
}

// gainOf is the binary logarithm of a subband's gain, in the order of QCD (T.800 E.1).
func gainOf(b int) int {
	if b == 0 {
		return 0
	}
	return [3]int{1, 1, 2}[(b-1)%3]
}

// stepOf is a step as exponent and mantissa (T.800 E-3), at least as fine as wanted.
func stepOf(step float64, nominal int) uint16 {
	frac, exp := math.Frexp(step) // step = frac * 2^exp, frac in [0.5, 1)
	expn := nominal - (exp - 1)
	if expn > 31 {
		return 31 << 11
	}
	if expn < 0 {
		return 0x7FF
	}
	return uint16(expn)<<11 | uint16(min(2047, int((2*frac-1)*2048)))
}

// encode transforms the samples and encodes the code blocks.
func (t *tile) encode(src []byte, info Info, o EncodeOptions) error {
	planes := make([]plane, info.Components)
	defer func() { release(planes) }()
	for k := range planes {
		planes[k] = newPlane(info.Width, info.Height, o.Step == 0, info.deep())
		l := loader{src: src, info: info, comp: k, mct: t.p.mct}
		t.comps[k].forward(&planes[k], t.comps[k].c.levels, l.source(o.Step == 0))
	}
	budget := int64(math.MaxInt64)
	var jobs []encodeJob
	for _, q := range t.precincts {
		if err := t.make(q, &budget); err != nil {
			return err
		}
		for i := range q.parts {
			for j := range q.parts[i].blocks {
				jobs = append(jobs, encodeJob{&q.parts[i].blocks[j], q.parts[i].band, t.comps[q.comp].c, &planes[q.comp]})
			}
		}
	}
	return runAll(jobs, o.Workers, func() func(*encodeJob) error {
		e := new(encoders)
		return func(j *encodeJob) error { return j.run(e) }
	})
}

// encodeJob is a code block to be encoded.
type encodeJob struct {
	cb *codeBlock
	b  *band
	c  *coding
	p  *plane
}

// encoders are what a worker needs.
type encoders struct {
	part1 blockEncoder
	ht    htEncoder
	data  []uint32
	deep  []uint64
}

// run encodes a block.
func (j *encodeJob) run(e *encoders) error {
	w, h := int(j.cb.x1-j.cb.x0), int(j.cb.y1-j.cb.y0)
	if j.c.style&styleHT != 0 {
		stride, rows := (w+1)&^1, (h+1)&^1
		var code []byte
		var most int
		if j.p.l != nil {
			e.deep = sized(e.deep, stride*rows)
			j.foldDeep(e.deep, stride)
			code, most = encodeHT(&e.ht, e.deep, stride)
		} else {
			e.data = sized(e.data, stride*rows)
			j.quantize(e.data, stride)
			code, most = encodeHT(&e.ht, e.data, stride)
		}
		return j.take(code, 1, 1, most)
	}
	e.part1.w, e.part1.h = w, h
	if j.p.l != nil {
		e.deep = sized(e.deep, w*h)
		j.foldDeep(e.deep, w)
		e.part1.split(e.deep)
	} else {
		e.data = sized(e.data, w*h)
		j.quantize(e.data, w)
		e.part1.load(e.data)
	}
	code, passes, planes := e.part1.encode(j.b.orient)
	return j.take(code, passes, planes, planes)
}

// quantize puts the magnitudes of a block (T.800 E.2), with their signs below the lowest
// bit, into rows of stride.
func (j *encodeJob) quantize(data []uint32, stride int) {
	if j.p.i != nil {
		j.rows(func(r, from, w int) {
			row, src := data[r*stride:r*stride+w], j.p.i[from:from+w]
			n := startFold(row, src)
			foldRow(row[n:], src[n:])
		})
		return
	}
	j.rows(func(r, from, w int) {
		row := data[r*stride : r*stride+w]
		for i, v := range j.p.f[from : from+w] {
			row[i] = uint32(min(math.Abs(float64(v))/float64(j.b.step), 1<<30-1)) << 1
			if v < 0 {
				row[i] |= 1
			}
		}
	})
}

// rows calls f with each row of a block, where it begins in the plane, and its width.
func (j *encodeJob) rows(f func(r, from, w int)) {
	w, h := int(j.cb.x1-j.cb.x0), int(j.cb.y1-j.cb.y0)
	x, y := j.b.atX+int(j.cb.x0-j.b.x0), j.b.atY+int(j.cb.y0-j.b.y0)
	for r := range h {
		f(r, (y+r)*j.p.w+x, w)
	}
}

// foldDeep is quantize of deep samples.
func (j *encodeJob) foldDeep(data []uint64, stride int) {
	j.rows(func(r, from, w int) { foldRow(data[r*stride:r*stride+w], j.p.l[from:from+w]) })
}

// foldRow is quantize of a row where nothing is lost.
func foldRow[T word, S whole](row []T, src []S) {
	row = row[:len(src)]
	for i, v := range src {
		row[i] = T(max(v, -v))<<1 | T(uint64(int64(v))>>63)
	}
}

// take keeps the codeword of a block, whose highest planes are not coded; most is how many
// the largest coefficient needs.
func (j *encodeJob) take(code []byte, passes, planes, most int) error {
	if most > j.b.planes {
		return UnsupportedError(fmt.Sprintf("a coefficient of %d bits where %d are told", most, j.b.planes))
	}
	if len(code) > 0 {
		j.cb.included, j.cb.zero = true, j.b.planes-planes
		j.cb.segs = []codeword{{passes: passes, data: slices.Clone(code)}}
	}
	return nil
}
