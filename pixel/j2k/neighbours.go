package j2k

import "math/bits"

// window is what a column of four coefficients in a stripe knows. Its bits, by columns to
// the left, here and to the right in each group of three:
//
//	bits 0 to 17   which coefficients are significant, from the row above to the row below
//	bits 18 to 35  which of them are negative
//	bits 40 to 50  which of the four were visited in this plane, every third bit
//	bits 41 to 51  which of them were refined before
//
// A window shifted right by 3*row has its coefficient at bit 4, with those around it.
type window uint64

const (
	visited window = 1 << 40
	twice   window = 1 << 41
	around  window = 0x1ef
	known   window = 1<<18 - 1 // anything significant in or around the column

	lines      window = 1 | 1<<3 | 1<<6 | 1<<9 // a bit for each of the four
	allVisited        = visited * lines
)

// rowsOf is lines for a stripe of so many rows.
func rowsOf(rows int) window { return lines & (1<<(3*uint(rows)&63) - 1) }

// near is which of the four are not significant and have a neighbour that is.
func (w window) near() window {
	s := w & known
	t := s | s>>1 | s>>2
	return (t | t>>3 | t>>6) &^ (s >> 4) & lines
}

// first is the first of a set of rows: by how much it shifts the window, and its number.
func (w window) first() (shift uint, row int) {
	shift = uint(bits.TrailingZeros16(uint16(w))) & 15
	return shift, int(shift * 11 >> 5)
}

// signIndex is the index of tables.sign.
func (w window) signIndex() uint8 { return uint8(w&0xaa | w>>18&0xaa>>1) }

// neighbours are the windows of a code block's columns, stripe by stripe, with a border of
// one.
type neighbours struct {
	fw      int // windows of a stripe
	windows []window
}

// clear makes the windows of a block.
func (b *neighbours) clear(w, h int) {
	b.fw = w + 2
	b.windows = sized(b.windows, b.fw*((h+3)/4+2))
}

// stripe is the windows of the stripe that begins at row y.
func (b *neighbours) stripe(y, w int) []window {
	return b.windows[(y/4+1)*b.fw+1:][:w]
}

// tell has the coefficient in row r of column x, below row y, be significant, and those
// around it know; neg is 1 for a negative one. It returns what the column itself must know.
// up is false where the stripe above must not know (T.800 D.7).
func (b *neighbours) tell(y, x, r int, neg uint32, up bool) window {
	at := (y/4+1)*b.fw + 1 + x
	m := 1 | window(neg&1)<<18
	row := b.windows[at-1 : at+2 : at+2]
	own := m << (3*uint(r&3) + 4)
	row[0] |= own << 1
	row[2] |= own >> 1
	switch {
	case r == 0 && up:
		row := b.windows[at-b.fw-1 : at-b.fw+2]
		row[0] |= m << 17
		row[1] |= m << 16
		row[2] |= m << 15
	case r == 3:
		row := b.windows[at+b.fw-1 : at+b.fw+2]
		row[0] |= m << 2
		row[1] |= m << 1
		row[2] |= m
	}
	return own
}
