package j2k

import "sync"

// Contexts of T.800 Table D.1 to D.4: 0..8 zero coding, 9..13 sign, 14..16 magnitude.
const (
	ctxSign    = 9
	ctxMag     = 14
	ctxRun     = 17
	ctxUniform = 18
)

type tables struct {
	mq   [256]mqState  // 94 of them; so many that no index needs a check
	zero [4][512]uint8 // by orientation: LL, HL, LH, HH
	sign [256]uint8    // context<<1 | flip
}

var tabs = sync.OnceValue(func() *tables {
	t := new(tables)
	for i, r := range mqRows {
		for s := range uint16(2) {
			t.mq[2*i+int(s)] = mqState{uint32(r[0]) << 16, uint8(r[1]<<1 | s), uint8(r[2]<<1 | s ^ r[3]), uint8(s)}
		}
	}
	for f := range 512 {
		for o := range 4 {
			t.zero[o][f] = zeroContext(f, o)
		}
	}
	for f := range 256 {
		t.sign[f] = signContext(f)
	}
	return t
})

// Bits of what stands around a coefficient, as window.around has it.
const (
	fNW = 1 << iota
	fN
	fNE
	fW
	_
	fE
	fSW
	fS
	fSE
)

func count(f int, bits ...int) (n int) {
	for _, b := range bits {
		if f&b != 0 {
			n++
		}
	}
	return n
}

// zeroContext is Table D.1.
func zeroContext(f, orient int) uint8 {
	h, v, d := count(f, fW, fE), count(f, fN, fS), count(f, fNW, fNE, fSW, fSE)
	if orient == 3 {
		hv := h + v
		switch {
		case d >= 3:
			return 8
		case d == 2:
			return uint8(6 + min(hv, 1))
		case d == 1:
			return uint8(3 + min(hv, 2))
		}
		return uint8(min(hv, 2))
	}
	if orient == 1 {
		h, v = v, h
	}
	switch {
	case h == 2:
		return 8
	case h == 1 && v >= 1:
		return 7
	case h == 1:
		return uint8(5 + min(d, 1))
	case v > 0:
		return uint8(2 + v)
	}
	return uint8(min(d, 2))
}

// signContext is Tables D.2 and D.3; f has the significance of N, W, E and S at their bits
// and their signs one below.
func signContext(f int) uint8 {
	one := func(b int) int {
		switch {
		case f&b == 0:
			return 0
		case f&(b>>1) != 0:
			return -1
		}
		return 1
	}
	h := max(-1, min(1, one(fW)+one(fE)))
	v := max(-1, min(1, one(fN)+one(fS)))
	flip := uint8(0)
	if h < 0 || h == 0 && v < 0 {
		h, v, flip = -h, -v, 1
	}
	c := uint8(ctxSign)
	if h == 1 {
		c += uint8(3 + v)
	} else {
		c += uint8(v)
	}
	return c<<1 | flip
}
