package jpeg

import (
	"fmt"

	"gantry/pixel/internal/huff"
	"gantry/pixel/internal/marker"
)

// EncodeOptions says how to encode. The zero value is quality 90, all components sampled
// alike.
type EncodeOptions struct {
	Quality     int  // 1 to 100, as libjpeg scales the tables of T.81 annex K; 0 is 90
	Subsample   bool // half the samples across for the second and third component (4:2:2)
	RestartMCUs int  // put a restart marker behind so many MCUs; 0 puts none
}

// Encode appends the coded form of an image to dst: baseline (process 1) for 8 bits,
// extended sequential (process 4) for 12, in one scan with Huffman tables made for it.
// Samples are as Decode returns them; i.YCbCr says what three components are, and i is else
// as there, never Progressive. Errors are of the types UnsupportedError and FormatError: px
// is not of the image's length, or has a sample of more than i.Bits.
func Encode(dst, px []byte, i Info, o EncodeOptions) ([]byte, error) {
	if err := i.check(); err != nil {
		return dst, err
	}
	switch {
	case i.Width >= maxSide || i.Height >= maxSide:
		return dst, UnsupportedError(fmt.Sprintf("%d x %d pixels", i.Width, i.Height))
	case i.Progressive || i.Components == 2 || i.Components > 3 || i.YCbCr && i.Components != 3:
		return dst, UnsupportedError("encoding other than one or three components, sequential")
	case o.Quality < 0 || o.Quality > 100 || o.RestartMCUs < 0 || o.RestartMCUs >= 1<<16:
		return dst, UnsupportedError(fmt.Sprintf("quality %d, restart interval %d", o.Quality, o.RestartMCUs))
	case o.Subsample && !i.YCbCr:
		return dst, UnsupportedError("fewer samples for components that are not colour differences")
	case int64(len(px)) != i.Size():
		return dst, FormatError(fmt.Sprintf("%d bytes of samples, the image has %d", len(px), i.Size()))
	}
	if o.Quality == 0 {
		o.Quality = 90
	}
	e := newEncoder(i, o, px)
	tokens := tokenBuffers.Get().(*[]token)
	e.tokens = (*tokens)[:0]
	defer func() {
		*tokens = e.tokens
		tokenBuffers.Put(tokens)
	}()
	if e.tokenize(); e.seen>>i.Bits != 0 {
		return dst, FormatError(fmt.Sprintf("a sample has more than %d bits", i.Bits))
	}
	specs := e.specs()
	return e.scan(e.header(dst, &specs), &specs), nil
}

type encoder struct {
	decoder // for the arrangement of components; planes are a row of MCUs high
	px      []byte
	wide    []uint16 // a line of the image
	every   int
	quants  [2]*quantizer
	forward *fdctShifts
	classes int // how many quantizers and pairs of Huffman tables there are
	seen    uint16
	tokens  []token
	freq    [4][256]int64 // of the symbols in the four tables
}

func newEncoder(i Info, o EncodeOptions, px []byte) *encoder {
	e := &encoder{px: px, every: o.RestartMCUs, classes: 1, forward: newFDCTShifts(i.Bits)}
	e.info = i
	e.quants[0] = newQuantizer(&luminance, o.Quality, i.Bits)
	for c := range i.Components {
		e.comps[c] = component{id: byte(c + 1), h: 1, v: 1}
	}
	if i.YCbCr {
		e.classes, e.quants[1] = 2, newQuantizer(&chrominance, o.Quality, i.Bits)
		e.comps[1].quant, e.comps[2].quant = 1, 1
	}
	if o.Subsample {
		e.comps[0].h = 2
	}
	e.arrange()
	return e
}

// header appends everything before the first entropy coded byte.
func (e *encoder) header(dst []byte, specs *[4]huff.Spec) []byte {
	i, sof := e.info, byte(marker.SOF0)
	if i.Bits > 8 {
		sof++
	}
	dst = append(dst, 0xff, marker.SOI)
	if i.Components == 3 { // the marker of Adobe says whether colours are transformed
		transform := byte(0)
		if i.YCbCr {
			transform = 1
		}
		dst = marker.Append(dst, marker.APP0+14, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, transform)...)
	}
	for k := range e.classes {
		dst = e.quants[k].append(dst, k)
	}
	frame := []byte{byte(i.Bits), byte(i.Height >> 8), byte(i.Height), byte(i.Width >> 8), byte(i.Width), byte(i.Components)}
	scan := []byte{byte(i.Components)}
	for _, c := range e.comps[:i.Components] {
		frame = append(frame, c.id, byte(c.h<<4|c.v), byte(c.quant))
		scan = append(scan, c.id, byte(c.quant*0x11))
	}
	dst = marker.Append(dst, sof, frame...)
	for k := range 2 * e.classes {
		dst = marker.Append(dst, marker.DHT, specs[k].Append([]byte{byte(k&1<<4 | k>>1)})...)
	}
	if e.every > 0 {
		dst = marker.Append(dst, marker.DRI, byte(e.every>>8), byte(e.every))
	}
	return marker.Append(dst, marker.SOS, append(scan, 0, 63, 0)...)
}

// append appends a table's segment, of 16 bits where it needs them.
func (q *quantizer) append(dst []byte, number int) []byte {
	wide := byte(0)
	for _, s := range q.steps {
		if s > 255 {
			wide = 1
		}
	}
	body := []byte{wide<<4 | byte(number)}
	for _, s := range q.steps {
		if wide == 1 {
			body = append(body, byte(s>>8))
		}
		body = append(body, byte(s))
	}
	return marker.Append(dst, marker.DQT, body...)
}
