package j2k

import "math"

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

func ceilShift(a int64, n int) int64 { return (a + 1<<n - 1) >> n }

// codeword is a codeword segment (T.800 B.10.7).
type codeword struct {
	passes    int // that have their data
	seen, max int // that packet headers told of; of the whole segment
	data      []byte
	length    int // in the packet being read
	fresh     int // passes in the packet being read
}

// codeBlock of T.800 B.7, in subband coordinates.
type codeBlock struct {
	x0, y0, x1, y1 int64
	included       bool
	zero           int // missing bit planes
	lblock         int
	segs           []codeword
}

// band is a subband of a resolution.
type band struct {
	orient         int
	x0, y0, x1, y1 int64
	planes         int
	step           float32
	atX, atY       int // where it lies in the tile component's buffer
}

// part is what a precinct has of one subband.
type part struct {
	band       *band
	nw, nh     int
	bx, by     int64 // index of the first code block
	blocks     []codeBlock
	incl, zero *tagTree
}

type precinct struct {
	comp, res, index int
	refX, refY       int64
	px, py           int64
	next             int // layer
	parts            []part
	made             bool
	wanted           bool
}

type resolution struct {
	x0, y0, x1, y1 int64
	ppx, ppy       int
	pw, ph         int64
	bands          []band
}

type tileComp struct {
	x0, y0, x1, y1 int64
	c              *coding
	res            []resolution
}

// tile is one being decoded.
type tile struct {
	s              *stream
	p              *params
	x0, y0, x1, y1 int64
	comps          []tileComp
	precincts      []*precinct
}

func (s *stream) newTile(index int, p *params, length int) (*tile, error) {
	i, j := int64(index)%s.tilesX, int64(index)/s.tilesX
	t := &tile{s: s, p: p}
	t.x0, t.x1 = max(s.tx0+i*s.tdx, s.x0), min(s.tx0+(i+1)*s.tdx, s.x1)
	t.y0, t.y1 = max(s.ty0+j*s.tdy, s.y0), min(s.ty0+(j+1)*s.tdy, s.y1)
	t.comps = make([]tileComp, len(s.comps))
	budget := int64(length) + 1024
	for k := range t.comps {
		tc, c := &t.comps[k], s.comps[k]
		tc.c = &p.comps[k]
		tc.x0, tc.x1 = ceilDiv(t.x0, c.dx), ceilDiv(t.x1, c.dx)
		tc.y0, tc.y1 = ceilDiv(t.y0, c.dy), ceilDiv(t.y1, c.dy)
		tc.res = make([]resolution, tc.c.levels+1)
		for r := range tc.res {
			if err := t.newResolution(k, r, &budget); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (t *tile) newResolution(k, r int, budget *int64) error {
	tc := &t.comps[k]
	res, n := &tc.res[r], tc.c.levels-r
	res.x0, res.y0, res.x1, res.y1 = ceilShift(tc.x0, n), ceilShift(tc.y0, n), ceilShift(tc.x1, n), ceilShift(tc.y1, n)
	res.ppx, res.ppy = int(tc.c.ppx[r]), int(tc.c.ppy[r])
	if res.x0 < res.x1 && res.y0 < res.y1 {
		res.pw = ceilShift(res.x1, res.ppx) - res.x0>>res.ppx
		res.ph = ceilShift(res.y1, res.ppy) - res.y0>>res.ppy
	}
	if *budget -= res.pw * res.ph; *budget < 0 {
		return FormatError("more precincts than the stream has bytes")
	}
	if err := t.newBands(k, r); err != nil {
		return err
	}
	c := t.s.comps[k]
	for i := range res.pw * res.ph {
		p := &precinct{comp: k, res: r, index: int(i), px: res.x0>>res.ppx + i%res.pw, py: res.y0>>res.ppy + i/res.pw}
		p.refX = max(t.x0, p.px<<(res.ppx+n)*c.dx)
		p.refY = max(t.y0, p.py<<(res.ppy+n)*c.dy)
		t.precincts = append(t.precincts, p)
	}
	return nil
}

func (t *tile) newBands(k, r int) error {
	tc := &t.comps[k]
	res, c := &tc.res[r], tc.c
	nb, first, last := c.levels-r+1, 1, 3
	if r == 0 {
		nb, first, last = c.levels, 0, 0
	}
	for o := first; o <= last; o++ {
		b := band{orient: o}
		ox, oy := int64(o&1), int64(o>>1)
		if nb > 0 {
			ox, oy = ox<<(nb-1), oy<<(nb-1)
		}
		b.x0, b.x1 = ceilShift(tc.x0-ox, nb), ceilShift(tc.x1-ox, nb)
		b.y0, b.y1 = ceilShift(tc.y0-oy, nb), ceilShift(tc.y1-oy, nb)
		if r > 0 {
			low := &tc.res[r-1]
			b.atX, b.atY = (o&1)*int(low.x1-low.x0), (o>>1)*int(low.y1-low.y0)
		}
		q := 0
		if r > 0 {
			q = 3*(r-1) + o
		}
		expn := int(c.expn[q])
		b.planes = c.guard + expn - 1
		gain := []int{0, 1, 1, 2}[o]
		b.step = float32(math.Ldexp(1+float64(c.mant[q])/2048, t.s.comps[k].bits+gain-expn))
		if c.quantStyle == 0 {
			b.step = float32(math.Ldexp(1, t.s.comps[k].bits+gain-expn))
		}
		res.bands = append(res.bands, b)
	}
	return nil
}

// make builds the code blocks of a precinct, when a packet first has something for it.
func (t *tile) make(p *precinct, budget *int64) error {
	p.made = true
	tc := &t.comps[p.comp]
	res := &tc.res[p.res]
	ppx, ppy := res.ppx, res.ppy
	if p.res > 0 {
		ppx, ppy = ppx-1, ppy-1
	}
	xcb, ycb := min(tc.c.xcb, ppx), min(tc.c.ycb, ppy)
	for i := range res.bands {
		b := &res.bands[i]
		x0, x1 := max(b.x0, p.px<<ppx), min(b.x1, (p.px+1)<<ppx)
		y0, y1 := max(b.y0, p.py<<ppy), min(b.y1, (p.py+1)<<ppy)
		if x0 >= x1 || y0 >= y1 {
			continue
		}
		pt := part{band: b, bx: x0 >> xcb, by: y0 >> ycb}
		nw, nh := ceilShift(x1, xcb)-pt.bx, ceilShift(y1, ycb)-pt.by
		if *budget -= nw * nh; *budget < 0 {
			return FormatError("too many code blocks for the length of the stream")
		}
		pt.nw, pt.nh = int(nw), int(nh)
		pt.blocks = make([]codeBlock, nw*nh)
		for j := range pt.blocks {
			cx, cy := pt.bx+int64(j)%nw, pt.by+int64(j)/nw
			pt.blocks[j] = codeBlock{x0: max(x0, cx<<xcb), x1: min(x1, (cx+1)<<xcb), y0: max(y0, cy<<ycb), y1: min(y1, (cy+1)<<ycb), lblock: 3}
		}
		pt.incl, pt.zero = newTagTree(pt.nw, pt.nh), newTagTree(pt.nw, pt.nh)
		p.parts = append(p.parts, pt)
	}
	return nil
}
