package j2k

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Markers of T.800 Table A.2.
const (
	mSOC = 0xFF4F
	mSOT = 0xFF90
	mSOD = 0xFF93
	mEOC = 0xFFD9
	mCAP = 0xFF50
	mTLM = 0xFF55
	mSIZ = 0xFF51
	mCOD = 0xFF52
	mCOC = 0xFF53
	mRGN = 0xFF5E
	mQCD = 0xFF5C
	mQCC = 0xFF5D
	mPOC = 0xFF5F
	mPPM = 0xFF60
	mPPT = 0xFF61
	mSOP = 0xFF91
	mEPH = 0xFF92
)

const (
	maxComponents = 16
	maxLevels     = 32
	maxPOC        = 1024
)

// Code-block styles of T.800 Table A.19.
const (
	styleBypass  = 1 << 0
	styleReset   = 1 << 1
	styleTermAll = 1 << 2
	styleCausal  = 1 << 3
	styleSegSym  = 1 << 5
	styleHT      = 1 << 6 // T.814 A.4
	styleMixed   = 1 << 7
)

// rsizHT is the bit of Rsiz that announces T.814 (A.2 there), capHT its bit of Pcap.
const (
	rsizHT = 1 << 14
	capHT  = 1 << (32 - 15)
)

// component is one of SIZ.
type component struct {
	bits   int
	signed bool
	dx, dy int64
}

// coding is what COD, COC, QCD, QCC and RGN say of one component.
type coding struct {
	levels     int
	xcb, ycb   int
	style      byte
	reversible bool
	ppx, ppy   [maxLevels + 1]uint8
	quantStyle int
	guard      int
	expn       [3*maxLevels + 1]uint8
	mant       [3*maxLevels + 1]uint16
	roi        int
	ownCoding  bool // COC seen at this level: COD no longer counts
	ownQuant   bool // QCC likewise
	codingSeen bool
	quantSeen  bool
}

// volume is one progression order change (T.800 A.6.6).
type volume struct {
	res0, res1, comp0, comp1, layers int
	order                            byte
}

// params hold for the main header or for a tile.
type params struct {
	sop, eph bool
	order    byte
	layers   int
	mct      bool
	comps    []coding
	poc      []volume
}

func (p *params) forTile() *params {
	q := *p
	q.comps = slices.Clone(p.comps)
	for i := range q.comps {
		q.comps[i].ownCoding, q.comps[i].ownQuant = false, false
	}
	return &q
}

// tileData gathers a tile's parts.
type tileData struct {
	own     *params // nil: as the main header
	pocSeen bool
	body    []byte
	pieces  []piece // where the body comes from
	headers []byte  // packed packet headers
	packed  bool
}

// piece is what a tile-part adds to a body: from which byte on, and where that is in the
// stream.
type piece struct{ at, from int }

type indexed struct {
	index int
	data  []byte
}

// stream is a parsed codestream.
type stream struct {
	x0, y0, x1, y1     int64 // image area on the reference grid
	tx0, ty0, tdx, tdy int64
	tilesX, tilesY     int64
	comps              []component
	ht                 bool // Rsiz announces T.814
	main               params
	ppm                []indexed
	ppmChunks          [][]byte
	tiles              map[int]*tileData
	order              []int
	cut                error // the first flaw behind the main header
	rest               error // the same, where what is missing may not be needed
	length             int   // of the stream
}

func be16(b []byte) int   { return int(binary.BigEndian.Uint16(b)) }
func be32(b []byte) int64 { return int64(binary.BigEndian.Uint32(b)) }

// unwrap finds the codestream in a JP2 file (T.800 Annex I); other bytes are returned as
// they are.
func unwrap(src []byte) []byte {
	if len(src) < 12 || string(src[4:8]) != "jP  " {
		return src
	}
	for at := int64(0); at+8 <= int64(len(src)); {
		n, head := be32(src[at:]), int64(8)
		if n == 1 && at+16 <= int64(len(src)) {
			u := binary.BigEndian.Uint64(src[at+8:])
			n, head = int64(min(u, 1<<62)), 16
		}
		if n == 0 || n > int64(len(src))-at {
			n = int64(len(src)) - at
		}
		if n < head {
			break
		}
		if string(src[at+4:at+8]) == "jp2c" {
			return src[at+head : at+n]
		}
		at += n
	}
	return nil
}

// parseMain reads up to the first SOT and returns what follows.
func (s *stream) parseMain(src []byte) ([]byte, error) {
	if len(src) < 4 || be16(src) != mSOC {
		return nil, FormatError("no SOC marker")
	}
	if be16(src[2:]) != mSIZ {
		return nil, FormatError("SIZ does not follow SOC")
	}
	s.length = len(src)
	src = src[2:]
	for {
		m, seg, rest, err := segment(src)
		if err != nil {
			return nil, err
		}
		if m == mSOT {
			break
		}
		if err := s.mainSegment(m, seg); err != nil {
			return nil, err
		}
		src = rest
	}
	for i := range s.main.comps {
		if c := &s.main.comps[i]; !c.codingSeen || !c.quantSeen {
			return nil, FormatError("main header without COD or QCD")
		}
		if n := s.comps[i].bits; n > 28 && !s.main.comps[i].reversible {
			return nil, UnsupportedError(fmt.Sprintf("%d bits by the irreversible wavelet", n))
		}
	}
	return src, s.splitPPM()
}

// segment cuts a marker segment off src.
func segment(src []byte) (int, []byte, []byte, error) {
	if len(src) < 4 {
		return 0, nil, nil, FormatError("ends within a header")
	}
	m, n := be16(src), be16(src[2:])
	if m < 0xFF00 {
		return 0, nil, nil, FormatError(fmt.Sprintf("%04X where a marker should be", m))
	}
	if n < 2 || n+2 > len(src) {
		return 0, nil, nil, FormatError(fmt.Sprintf("marker %04X: length %d exceeds the stream", m, n))
	}
	return m, src[4 : n+2], src[n+2:], nil
}

func (s *stream) mainSegment(m int, b []byte) error {
	switch {
	case m == mSIZ:
		return s.parseSIZ(b)
	case m == mSOD || m == mEOC || m == mSOC:
		return FormatError(fmt.Sprintf("marker %04X in the main header", m))
	case m == mCAP:
		return checkCAP(b)
	case m == mPPM:
		if len(b) < 1 {
			return FormatError("PPM too short")
		}
		s.ppm = append(s.ppm, indexed{int(b[0]), b[1:]})
		return nil
	}
	return s.paramSegment(&s.main, m, b)
}

// checkCAP refuses capabilities but those of T.814 (T.800 A.5.2).
func checkCAP(b []byte) error {
	if len(b) < 4 {
		return FormatError("CAP too short")
	}
	if p := be32(b); p&^capHT != 0 {
		return UnsupportedError(fmt.Sprintf("capabilities %08X of other parts of the standard", p))
	}
	return nil
}

// paramSegment reads the segments that main and tile-part headers share.
func (s *stream) paramSegment(p *params, m int, b []byte) error {
	switch m {
	case mCOD:
		return p.parseCOD(b)
	case mCOC:
		return p.parseCOC(b)
	case mQCD:
		return p.parseQCD(b)
	case mQCC:
		return p.parseQCC(b)
	case mRGN:
		return p.parseRGN(b)
	case mPOC:
		return p.parsePOC(b)
	}
	return nil
}

func (s *stream) parseSIZ(b []byte) error {
	if s.comps != nil {
		return FormatError("two SIZ")
	}
	if len(b) < 36 {
		return FormatError("SIZ too short")
	}
	s.ht = be16(b)&rsizHT != 0
	s.x1, s.y1, s.x0, s.y0 = be32(b[2:]), be32(b[6:]), be32(b[10:]), be32(b[14:])
	s.tdx, s.tdy, s.tx0, s.ty0 = be32(b[18:]), be32(b[22:]), be32(b[26:]), be32(b[30:])
	n := be16(b[34:])
	switch {
	case s.x0 >= s.x1 || s.y0 >= s.y1:
		return FormatError("empty image")
	case s.tdx == 0 || s.tdy == 0 || s.tx0 > s.x0 || s.ty0 > s.y0 || s.tx0+s.tdx <= s.x0 || s.ty0+s.tdy <= s.y0:
		return FormatError("tiles do not cover the image")
	case n == 0 || len(b) < 36+3*n:
		return FormatError("SIZ: wrong number of components")
	case n > maxComponents:
		return UnsupportedError(fmt.Sprintf("%d components", n))
	}
	s.tilesX, s.tilesY = ceilDiv(s.x1-s.tx0, s.tdx), ceilDiv(s.y1-s.ty0, s.tdy)
	if s.tilesX > 65535 || s.tilesY > 65535 || s.tilesX*s.tilesY > 65535 {
		return FormatError("more than 65535 tiles")
	}
	return s.parseComponents(b[36:], n)
}

func (s *stream) parseComponents(b []byte, n int) error {
	s.comps, s.main.comps = make([]component, n), make([]coding, n)
	for i := range s.comps {
		c := component{int(b[3*i]&0x7F) + 1, b[3*i]&0x80 != 0, int64(b[3*i+1]), int64(b[3*i+2])}
		if c.dx == 0 || c.dy == 0 || c.bits > 38 {
			return FormatError("SIZ: component out of range")
		}
		s.comps[i] = c
		f := s.comps[0]
		if c.dx != f.dx || c.dy != f.dy || c.signed != f.signed {
			return UnsupportedError("components that differ in size or sign")
		}
	}
	return nil
}

func (p *params) parseCOD(b []byte) error {
	if len(b) < 10 {
		return FormatError("COD too short")
	}
	p.sop, p.eph = b[0]&2 != 0, b[0]&4 != 0
	p.order, p.layers, p.mct = b[1], be16(b[2:]), b[4] == 1
	if p.order > 4 || p.layers == 0 {
		return FormatError("COD: progression or layers out of range")
	}
	var c coding
	if err := c.parseCoding(b[5:], b[0]&1 != 0); err != nil {
		return err
	}
	for i := range p.comps {
		if !p.comps[i].ownCoding {
			p.comps[i].setCoding(&c)
		}
	}
	return nil
}

func (c *coding) setCoding(from *coding) {
	c.levels, c.xcb, c.ycb, c.style = from.levels, from.xcb, from.ycb, from.style
	c.reversible, c.ppx, c.ppy, c.codingSeen = from.reversible, from.ppx, from.ppy, true
}

// parseCoding reads SPcod or SPcoc (T.800 Table A.20).
func (c *coding) parseCoding(b []byte, precincts bool) error {
	if len(b) < 5 {
		return FormatError("COD or COC too short")
	}
	c.levels, c.xcb, c.ycb, c.style, c.reversible = int(b[0]), int(b[1]&15)+2, int(b[2]&15)+2, b[3], b[4] == 1
	switch {
	case c.levels > maxLevels || c.xcb > 10 || c.ycb > 10 || c.xcb+c.ycb > 12 || b[4] > 1:
		return FormatError("COD or COC: value out of range")
	case c.style&styleMixed != 0:
		return UnsupportedError("code blocks of both kinds mixed in a component (T.814 A.4)")
	case c.style&styleHT != 0 && c.style&^(styleHT|styleCausal) != 0:
		return FormatError("COD or COC: a style that high-throughput code blocks do not have")
	case precincts && len(b) < 6+c.levels:
		return FormatError("COD or COC: precincts missing")
	}
	for r := 0; r <= c.levels; r++ {
		c.ppx[r], c.ppy[r] = 15, 15
		if precincts {
			c.ppx[r], c.ppy[r] = b[5+r]&15, b[5+r]>>4
		}
		if r > 0 && (c.ppx[r] == 0 || c.ppy[r] == 0) {
			return FormatError("COD or COC: precinct of no size")
		}
	}
	return nil
}

// which reads the component index that begins COC, QCC and RGN.
func (p *params) which(b []byte) (*coding, []byte, error) {
	if len(b) < 1 || int(b[0]) >= len(p.comps) {
		return nil, nil, FormatError("segment for a component that does not exist")
	}
	return &p.comps[b[0]], b[1:], nil
}

func (p *params) parseCOC(b []byte) error {
	c, b, err := p.which(b)
	if err != nil {
		return err
	}
	if len(b) < 1 {
		return FormatError("COC too short")
	}
	var n coding
	if err := n.parseCoding(b[1:], b[0]&1 != 0); err != nil {
		return err
	}
	c.setCoding(&n)
	c.ownCoding = true
	return nil
}

func (p *params) parseQCD(b []byte) error {
	var q coding
	if err := q.parseQuant(b); err != nil {
		return err
	}
	for i := range p.comps {
		if !p.comps[i].ownQuant {
			p.comps[i].setQuant(&q)
		}
	}
	return nil
}

func (p *params) parseQCC(b []byte) error {
	c, b, err := p.which(b)
	if err != nil {
		return err
	}
	var q coding
	if err := q.parseQuant(b); err != nil {
		return err
	}
	c.setQuant(&q)
	c.ownQuant = true
	return nil
}

func (c *coding) setQuant(q *coding) {
	c.quantStyle, c.guard, c.expn, c.mant, c.quantSeen = q.quantStyle, q.guard, q.expn, q.mant, true
}

// parseQuant reads Sqcd and SPqcd (T.800 Table A.28). Subbands without a step of their own
// have exponent 0 and are found out when their first code block is.
func (c *coding) parseQuant(b []byte) error {
	if len(b) < 2 {
		return FormatError("QCD or QCC too short")
	}
	c.quantStyle, c.guard = int(b[0]&31), int(b[0]>>5)
	b = b[1:]
	switch c.quantStyle {
	case 0:
		for i := 0; i < len(b) && i < len(c.expn); i++ {
			c.expn[i] = b[i] >> 3
		}
	case 1, 2:
		for i := 0; 2*i+1 < len(b) && i < len(c.expn); i++ {
			v := be16(b[2*i:])
			c.expn[i], c.mant[i] = uint8(v>>11), uint16(v&0x7FF)
		}
	default:
		return FormatError("QCD or QCC: style out of range")
	}
	if c.quantStyle == 1 {
		for i := 1; i < len(c.expn); i++ { // T.800 equation E-5
			c.expn[i], c.mant[i] = uint8(max(0, int(c.expn[0])-(i-1)/3)), c.mant[0]
		}
	}
	return nil
}

func (p *params) parseRGN(b []byte) error {
	c, b, err := p.which(b)
	if err != nil {
		return err
	}
	if len(b) < 2 || b[0] != 0 || b[1] > 37 {
		return FormatError("RGN out of range")
	}
	c.roi = int(b[1])
	return nil
}

func (p *params) parsePOC(b []byte) error {
	if len(b)%7 != 0 || len(b) == 0 || len(p.poc)+len(b)/7 > maxPOC {
		return FormatError("POC: wrong length")
	}
	for ; len(b) > 0; b = b[7:] {
		v := volume{int(b[0]), int(b[4]), int(b[1]), int(b[5]), be16(b[2:]), b[6]}
		if v.comp1 == 0 || v.comp1 > len(p.comps) {
			v.comp1 = len(p.comps)
		}
		if v.order > 4 {
			return FormatError("POC: progression out of range")
		}
		p.poc = append(p.poc, v)
	}
	return nil
}
