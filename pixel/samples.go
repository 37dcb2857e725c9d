package pixel

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// form is what a stream says of its samples.
type form struct {
	width, height, comps int
	bits                 int  // precision
	bytes                int  // of a sample as the codec writes it: 1, 2, 4 or 8
	signed               bool // samples are two's complement as wide as bytes
}

// check compares a stream with the data set before anything is allocated.
func (f form) check(d Desc) error {
	switch {
	case f.width != d.Columns || f.height != d.Rows:
		return FormatError(fmt.Sprintf("the stream has %d x %d pixels, Columns and Rows say %d x %d", f.width, f.height, d.Columns, d.Rows))
	case f.comps != d.Samples:
		return FormatError(fmt.Sprintf("the stream has %d components, Samples per Pixel says %d", f.comps, d.Samples))
	case f.bits > d.BitsAllocated:
		return FormatError(fmt.Sprintf("the stream has %d bits, Bits Allocated says %d", f.bits, d.BitsAllocated))
	}
	return nil
}

// buffers holds scratch memory of frames.
var buffers sync.Pool // of *[]byte

func getBuffer() *[]byte {
	if b, ok := buffers.Get().(*[]byte); ok {
		*b = (*b)[:0]
		return b
	}
	return new([]byte)
}

// settle calls a codec and brings what it appends to the cells of d.
func settle(dst []byte, d Desc, f form, decode func(dst []byte) ([]byte, error)) ([]byte, error) {
	at := len(dst)
	if f.bytes == d.cell() {
		dst, err := decode(dst)
		if len(dst) == at {
			return dst, err
		}
		if d.Signed && !f.signed {
			extend(dst[at:], f.bytes, f.bits)
		}
		return dst, err
	}
	tmp := getBuffer()
	defer buffers.Put(tmp)
	px, err := decode(*tmp)
	*tmp = px
	if len(px) == 0 {
		return dst, err
	}
	if d.BitsAllocated == 1 {
		return pack(dst, px, f.bytes), err
	}
	if d.Signed && !f.signed {
		extend(px, f.bytes, f.bits)
	}
	return widen(dst, px, f.bytes, d.cell(), d.Signed || f.signed), err
}

// extend fills the bits above the precision with the sign.
func extend(px []byte, bytes, bits int) {
	shift := 8*bytes - bits
	if shift <= 0 {
		return
	}
	switch bytes {
	case 1:
		for i, b := range px {
			px[i] = byte(int8(b<<shift) >> shift)
		}
	case 2:
		for ; len(px) >= 2; px = px[2:] {
			v := int16(binary.LittleEndian.Uint16(px)<<shift) >> shift
			binary.LittleEndian.PutUint16(px, uint16(v))
		}
	case 4:
		for ; len(px) >= 4; px = px[4:] {
			v := int32(binary.LittleEndian.Uint32(px)<<shift) >> shift
			binary.LittleEndian.PutUint32(px, uint32(v))
		}
	case 8:
		for ; len(px) >= 8; px = px[8:] {
			v := int64(binary.LittleEndian.Uint64(px)<<shift) >> shift
			binary.LittleEndian.PutUint64(px, uint64(v))
		}
	}
}

// widen appends samples of from bytes each as samples of to bytes, or takes the lower
// bytes where to is less: the precision says that the others are nothing but sign.
func widen(dst, px []byte, from, to int, signed bool) []byte {
	for ; len(px) >= from; px = px[from:] {
		fill := byte(0)
		if signed && px[from-1] >= 0x80 {
			fill = 0xFF
		}
		for k := range to {
			if k < from {
				dst = append(dst, px[k])
			} else {
				dst = append(dst, fill)
			}
		}
	}
	return dst
}

// pack appends samples as single bits, the first one lowest (PS3.5 8.1.1).
func pack(dst, px []byte, bytes int) []byte {
	at, n := len(dst), len(px)/bytes
	dst = append(dst, make([]byte, (n+7)/8)...)
	for i := range n {
		dst[at+i/8] |= px[i*bytes] & 1 << (i % 8)
	}
	return dst
}

// precision returns the bits that the samples of a frame need: Bits Stored, or Bits
// Allocated where one of them has something else above the highest bit than its sign, as
// old overlays have. Fewer bits than the cell is for, 8, 9 or 17, are not used: DCMTK and
// CharLS, which many readers are made of, refuse those.
func precision(px []byte, d Desc) int {
	if d.HighBit != d.BitsStored-1 || !within(px, d) {
		return d.BitsAllocated
	}
	if d.cell() > 2 {
		return max(d.BitsStored, 17)
	}
	return max(d.BitsStored, 7+d.cell())
}

// within reports whether all samples are numbers of Bits Stored bits.
func within(px []byte, d Desc) bool {
	switch {
	case d.BitsAllocated == d.BitsStored:
		return true
	case d.cell() > 2:
		return withinDeep(px, d)
	}
	bias, mask := uint16(0), ^uint16(0)<<d.BitsStored
	if d.Signed {
		bias = 1 << (d.BitsStored - 1)
	}
	var odd uint16
	if d.cell() == 1 {
		mask &= 0xFF
		for _, b := range px {
			odd |= (uint16(b) + bias) & mask
		}
		return odd == 0
	}
	for ; len(px) >= 2; px = px[2:] {
		odd |= (binary.LittleEndian.Uint16(px) + bias) & mask
	}
	return odd == 0
}

// withinDeep is within for samples of 3 to 8 bytes.
func withinDeep(px []byte, d Desc) bool {
	cell := d.cell()
	bias, mask := uint64(0), (uint64(1)<<(8*cell)-1)&^(1<<d.BitsStored-1)
	if d.Signed {
		bias = 1 << (d.BitsStored - 1)
	}
	var odd uint64
	for ; len(px) >= cell; px = px[cell:] {
		v := uint64(0)
		for k, b := range px[:cell] {
			v |= uint64(b) << (8 * k)
		}
		odd |= (v + bias) & mask
	}
	return odd == 0
}

// narrow brings samples to the form that the JPEG codecs take: unsigned numbers of bits
// bits, a byte each up to 8. It returns px itself where it has that form already.
func narrow(tmp *[]byte, px []byte, d Desc, bits int) []byte {
	cut := d.Signed && bits < d.BitsAllocated
	if d.cell() == 1 && !cut || d.cell() == 2 && bits > 8 && !cut {
		return px
	}
	out := (*tmp)[:0]
	mask := uint16(1)<<bits - 1
	switch {
	case d.cell() == 1:
		for _, b := range px {
			out = append(out, b&byte(mask))
		}
	case bits <= 8:
		for ; len(px) >= 2; px = px[2:] {
			out = append(out, px[0]&byte(mask))
		}
	default:
		for ; len(px) >= 2; px = px[2:] {
			out = binary.LittleEndian.AppendUint16(out, binary.LittleEndian.Uint16(px)&mask)
		}
	}
	*tmp = out
	return out
}

// interleave turns planes into pixels.
func interleave(dst, px []byte, d Desc) []byte {
	cell := d.cell()
	plane := d.pixels() * cell
	for p := 0; p < plane; p += cell {
		for c := range d.Samples {
			dst = append(dst, px[c*plane+p:][:cell]...)
		}
	}
	return dst
}
