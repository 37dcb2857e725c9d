package jpegls

import (
	"encoding/binary"
	"fmt"

	"gantry/pixel/internal/bits"
	"gantry/pixel/internal/marker"
)

// Encode appends the coded form of an image to dst. Samples are as Decode returns them.
// Preset parameters are written where i has any, and above 12 bits. Errors are of the types UnsupportedError
// and FormatError: px is not of the image's length, a sample is greater than the greatest,
// or parameters are not what T.87 allows.
func Encode(dst, px []byte, i Info, o EncodeOptions) ([]byte, error) {
	if err := i.checkFrame(); err != nil {
		return dst, err
	}
	preset, err := i.resolve()
	if err != nil {
		return dst, err
	}
	if int64(len(px)) != i.Size() {
		return dst, FormatError(fmt.Sprintf("%d bytes of samples, the image has %d", len(px), i.Size()))
	}
	if o.RestartLines < 0 || o.RestartLines >= maxSide {
		return dst, UnsupportedError(fmt.Sprintf("a restart interval of %d lines", o.RestartLines))
	}
	if i.Components == 1 {
		i.Interleave = None
	}
	e := encoder{info: i, preset: preset, every: o.RestartLines, px: px}
	at := len(dst)
	dst = e.header(dst)
	for first := 0; first < i.Components; {
		n := i.Components
		if i.Interleave == None {
			n = 1
		}
		if dst, err = e.scan(dst, first, n); err != nil {
			return dst[:at], err
		}
		first += n
	}
	return append(dst, 0xff, marker.EOI), nil
}

type encoder struct {
	info   Info
	preset Preset
	every  int
	px     []byte
}

// header appends what stands before the first scan.
func (e *encoder) header(dst []byte) []byte {
	i := e.info
	dst = append(dst, 0xff, marker.SOI)
	frame := []byte{byte(i.Bits), byte(i.Height >> 8), byte(i.Height), byte(i.Width >> 8), byte(i.Width), byte(i.Components)}
	for c := range i.Components {
		frame = append(frame, byte(c+1), 0x11, 0)
	}
	dst = marker.Append(dst, marker.SOF55, frame...)
	if i.Preset != (Preset{}) || i.Bits > 12 { // some decoders have other defaults above 12 bits
		body := []byte{1}
		for _, v := range []int{e.preset.MaxVal, e.preset.T1, e.preset.T2, e.preset.T3, e.preset.Reset} {
			body = binary.BigEndian.AppendUint16(body, uint16(v))
		}
		dst = marker.Append(dst, marker.LSE, body...)
	}
	if e.every > 0 {
		dst = marker.Append(dst, marker.DRI, byte(e.every>>8), byte(e.every))
	}
	return dst
}

// scan appends a scan of n components.
func (e *encoder) scan(dst []byte, first, n int) ([]byte, error) {
	body := []byte{byte(n)}
	for c := range n {
		body = append(body, byte(first+c+1), 0)
	}
	dst = marker.Append(dst, marker.SOS, append(body, byte(e.info.Near), byte(e.info.Interleave), 0)...)
	le := lineEncoder{state: newState(e.preset, e.info.Near), w: bits.LSWriter{Dst: dst}}
	above, line := newLines(n, e.info.Width), newLines(n, e.info.Width)
	for y := range e.info.Height {
		if e.every > 0 && y > 0 && y%e.every == 0 {
			le.w.Flush()
			le.w.Dst = append(le.w.Dst, 0xff, marker.RST0+byte((y/e.every-1)%8))
			le.restart()
			for c := range above {
				clear(above[c])
				clear(line[c])
			}
		}
		for c := range line {
			if top := e.load(line[c][1:e.info.Width+1], first+c, y); int(top) > e.preset.MaxVal {
				return le.w.Dst, FormatError(fmt.Sprintf("a sample of %d, the greatest is %d", top, e.preset.MaxVal))
			}
			sides(line[c], above[c])
		}
		le.encode(line, above, e.info.Interleave)
		line, above = above, line
	}
	le.w.Flush()
	return le.w.Dst, nil
}

// encode encodes the next line of each component.
func (e *lineEncoder) encode(line, above [][]uint16, mode Interleave) {
	if mode == Sample {
		e.samples(line, above)
		return
	}
	for c := range line {
		if e.exact() {
			e.plain(line[c], above[c], c)
		} else {
			e.lossy(line[c], above[c], c)
		}
	}
}

// load takes the samples of one component's line out of the image, and returns the
// greatest.
func (e *encoder) load(line []uint16, comp, y int) uint16 {
	step := e.info.Components
	at := y*e.info.Width*step + comp
	top := uint16(0)
	if e.info.Bits > 8 {
		px := e.px[2*at:]
		for i := range line {
			v := binary.LittleEndian.Uint16(px[2*i*step:])
			line[i], top = v, max(top, v)
		}
		return top
	}
	px := e.px[at:]
	for i := range line {
		v := uint16(px[i*step])
		line[i], top = v, max(top, v)
	}
	return top
}
