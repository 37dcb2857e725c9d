package jxl

import "math/bits"

// strategy is how a block of coefficients becomes samples (annex I.2.4): its size in blocks of
// 8 x 8, which order its coefficients come in, and which table they are scaled by.
type strategy struct {
	w, h  int
	order uint8
	table uint8
}

// Strategies that are no plain DCT of their size.
const (
	plainDCT8   = 0
	hornuss     = 1
	dct2        = 2
	dct4        = 3
	dct4x8      = 12
	dct8x4      = 13
	firstCorner = 14 // and three more: a corner apart from the rest
	lastCorner  = 17
)

var strategies = [27]strategy{
	{1, 1, 0, 0}, {1, 1, 1, 1}, {1, 1, 1, 2}, {1, 1, 1, 3}, {2, 2, 2, 4}, {4, 4, 3, 5}, {1, 2, 4, 6}, {2, 1, 4, 6},
	{1, 4, 5, 7}, {4, 1, 5, 7}, {2, 4, 6, 8}, {4, 2, 6, 8}, {1, 1, 1, 9}, {1, 1, 1, 9}, {1, 1, 1, 10}, {1, 1, 1, 10},
	{1, 1, 1, 10}, {1, 1, 1, 10}, {8, 8, 7, 11}, {4, 8, 8, 12}, {8, 4, 8, 12}, {16, 16, 9, 13}, {8, 16, 10, 14},
	{16, 8, 10, 14}, {32, 32, 11, 15}, {16, 32, 12, 16}, {32, 16, 12, 16},
}

func (s *strategy) blocks() int { return s.w * s.h }

// layout is the shape that coefficients are stored in, in blocks: never more rows than columns.
func (s *strategy) layout() (rows, cols int) { return min(s.w, s.h), max(s.w, s.h) }

const orders = 13

// orderSizes are rows and columns, in blocks, of the coefficients in each order.
var orderSizes = func() (t [orders][2]int) {
	for i := range strategies {
		rows, cols := strategies[i].layout()
		t[strategies[i].order] = [2]int{rows, cols}
	}
	return t
}()

// naturalOrder lists the places of coefficients (annex I.3.2): first those that the low
// frequencies give, then the others along diagonals, to and fro.
func naturalOrder(rows, cols int) []uint32 {
	out := make([]uint32, 64*rows*cols)
	next := rows * cols
	ratio := cols / rows
	shift := bits.Len(uint(ratio)) - 1
	side := 8 * cols
	visit := func(x, y int) {
		if y&(ratio-1) != 0 {
			return
		}
		y >>= shift
		at := y*cols + x
		if x >= cols || y >= rows {
			at = next
			next++
		}
		out[at] = uint32(y*side + x)
	}
	for d := range 2*side - 1 {
		for k := max(0, d-side+1); k <= min(d, side-1); k++ {
			if d%2 == 0 {
				visit(k, d-k)
			} else {
				visit(d-k, k)
			}
		}
	}
	return out
}
