package pixel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom/uid"
	"gantry/pixel/internal/codectest"
)

// tableHead says what the table of BenchmarkCodecs is.
const tableHead = `
times as fast as the reference, one core, 1.0 is the same; MB/s are of raw samples, ours
processor time: ours from memory to memory, with what RGB needs to become YCbCr and back; a
program's for many frames or a large one, less that for one or a small one, on average of
seven runs, reading and writing files included
`

// row is a codec with its reference.
type row struct {
	name           string
	image          codectest.Image
	syntax         uid.UID
	lossy          *Lossy
	peer           string
	encode, decode []string // of the program; in and out follow
}

var (
	ct   = codectest.Image{Width: 512, Height: 512, Samples: 1, Frames: 1, Allocated: 16, Stored: 12}
	grey = codectest.Image{Width: 512, Height: 512, Samples: 1, Frames: 1, Allocated: 8, Stored: 8}
	rgb  = codectest.Image{Width: 512, Height: 512, Samples: 3, Frames: 1, Allocated: 8, Stored: 8}
)

func rows() []row {
	q := &Lossy{Quality: 90}
	openjpeg := func(name string, m codectest.Image) row {
		return row{name, m, uid.JPEG2000Lossless, nil, "OpenJPEG", []string{"/usr/bin/opj_compress", "-i", "in.pnm", "-o", "out.j2k"}, []string{"/usr/bin/opj_decompress", "-i", "in.j2c", "-o", "out.pnm"}}
	}
	dcmtk := func(name string, m codectest.Image, syntax uid.UID, lossy *Lossy, tool string, options ...string) row {
		return row{name, m, syntax, lossy, "DCMTK", append([]string{"/usr/bin/dcmc" + tool}, options...), []string{"/usr/bin/dcmd" + tool}}
	}
	turbo := func(name string, m codectest.Image, sampling string) row {
		return row{name, m, uid.JPEGBaseline8Bit, q, "turbo", []string{"/usr/bin/cjpeg", "-quality", "90", "-dct", "int", "-sample", sampling, "-outfile", "out.jpg", "in.pnm"},
			[]string{"/usr/bin/djpeg", "-dct", "int", "-pnm", "-outfile", "out.pnm", "in.j2c"}}
	}
	return []row{
		dcmtk("RLE 16", ct, uid.RLELossless, nil, "rle"),
		dcmtk("RLE 8", grey, uid.RLELossless, nil, "rle"),
		dcmtk("JPEG lossless 16", ct, uid.JPEGLosslessSV1, nil, "jpeg", "+tl", "+e1"),
		dcmtk("JPEG lossless 8", grey, uid.JPEGLosslessSV1, nil, "jpeg", "+tl", "+e1"),
		dcmtk("JPEG-LS 16", ct, uid.JPEGLSLossless, nil, "jpls"),
		dcmtk("JPEG-LS 8", grey, uid.JPEGLSLossless, nil, "jpls"),
		dcmtk("JPEG-LS colour", rgb, uid.JPEGLSLossless, nil, "jpls", "+il"),
		turbo("JPEG grey", grey, "1x1"),
		turbo("JPEG colour", rgb, "2x1"),
		dcmtk("JPEG 12", ct, uid.JPEGExtended12Bit, q, "jpeg", "+ee", "+q", "90"),
		openjpeg("JPEG 2000 16", ct),
		openjpeg("JPEG 2000 8", grey),
		openjpeg("JPEG 2000 colour", rgb),
		{"HTJ2K 16", ct, uid.HTJ2KLossless, nil, "OpenJPH", []string{"/usr/bin/ojph_compress", "-i", "in.pgm", "-o", "out.j2c", "-reversible", "true"}, []string{"/usr/bin/ojph_expand", "-i", "in.j2c", "-o", "out.pgm"}},
		{"HTJ2K 8", grey, uid.HTJ2KLossless, nil, "OpenJPH", []string{"/usr/bin/ojph_compress", "-i", "in.pgm", "-o", "out.j2c", "-reversible", "true"}, []string{"/usr/bin/ojph_expand", "-i", "in.j2c", "-o", "out.pgm"}},
	}
}

// BenchmarkCodecs encodes and decodes frames with every codec and with its reference, and
// prints a table of the ratios.
func BenchmarkCodecs(b *testing.B) {
	var table strings.Builder
	for _, r := range rows() {
		px := r.image.CT(1)
		d := descOf(r.image)
		c, _ := Builtin().Lookup(r.syntax)
		code, err := c.Encoder.Encode(nil, px, d, r.lossy)
		if err != nil {
			b.Fatal(err)
		}
		theirs := r.measurePeer(b)
		var dst []byte
		run := func(name string, peer float64, f func() error) {
			b.Run(r.name+"/"+name, func(b *testing.B) {
				ours := codectest.PerRun(b, f)
				b.ReportMetric(peer/ours, "x_"+r.peer)
				fmt.Fprintf(&table, "%-18s %-7s %6.2f of %-9s %7.0f\n", r.name, name, peer/ours, r.peer, float64(len(px))/1e6/ours)
			})
		}
		run("encode", theirs[0], func() (err error) { dst, err = c.Encoder.Encode(dst[:0], px, d, r.lossy); return err })
		run("decode", theirs[1], func() (err error) { dst, _, err = c.Decoder.Decode(dst[:0], code, d, Limits{}); return err })
	}
	fmt.Println(tableHead + table.String())
}

func descOf(m codectest.Image) Desc {
	d := Desc{Rows: m.Height, Columns: m.Width, Samples: m.Samples, BitsAllocated: m.Allocated, BitsStored: m.Stored, HighBit: m.Stored - 1, Photometric: Monochrome2, Frames: 1}
	if m.Samples == 3 {
		d.Photometric = RGB
	}
	return d
}

// measurePeer returns the reference's seconds for a frame, encoding and decoding.
func (r row) measurePeer(b *testing.B) [2]float64 {
	if r.peer == "DCMTK" {
		return r.programs(b, r.dicomFolder(b, 13), r.dicomFolder(b, 1), 12)
	}
	large, small := r.image, r.image
	small.Width, small.Height = 64, 64
	times := 4
	if r.peer == "turbo" {
		times = 64
	}
	large.Height *= times
	return r.programs(b, r.streamFolder(b, large), r.streamFolder(b, small), float64(times))
}

// dicomFolder makes a folder with an object of so many frames, native and compressed.
func (r row) dicomFolder(b *testing.B, frames int) string {
	m, dir := r.image, b.TempDir()
	m.Frames = frames
	var px []byte
	for k := range frames {
		px = append(px, m.CT(uint64(k+1))...)
	}
	native := m.WriteNative(b, px)
	packed, err := os.Create(filepath.Join(dir, "packed"))
	if err != nil {
		b.Fatal(err)
	}
	defer packed.Close()
	if _, err := Transcode(b.Context(), packed, readFile(b, native), r.syntax, Options{Lossy: r.lossy}); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(native, filepath.Join(dir, "native")); err != nil {
		b.Fatal(err)
	}
	return dir
}

// streamFolder makes a folder with an image as its samples and as our codestream.
func (r row) streamFolder(b *testing.B, m codectest.Image) string {
	dir, px := b.TempDir(), m.CT(1)
	c, _ := Builtin().Lookup(r.syntax)
	code, err := c.Encoder.Encode(nil, px, descOf(m), r.lossy)
	if err != nil {
		b.Fatal(err)
	}
	for name, data := range map[string][]byte{"in.pnm": portable(m, px), "in.pgm": portable(m, px), "in.j2c": code} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// portable is an image as a PNM file, whose samples are big endian.
func portable(m codectest.Image, px []byte) []byte {
	kind := 5
	if m.Samples == 3 {
		kind = 6
	}
	out := fmt.Appendf(nil, "P%d\n%d %d\n%d\n", kind, m.Width, m.Height, 1<<m.Stored-1)
	n := m.Allocated / 8
	for k := 0; k < len(px); k += n {
		for i := n - 1; i >= 0; i-- {
			out = append(out, px[k+i])
		}
	}
	return out
}

// programs returns the processor time of a frame: the program's in one folder less that in
// the other, by the frames that they are apart.
func (r row) programs(b *testing.B, large, small string, apart float64) (out [2]float64) {
	files := [2][]string{{"native", "out"}, {"packed", "out"}}
	if r.peer != "DCMTK" {
		files = [2][]string{}
	}
	for k, args := range [][]string{r.encode, r.decode} {
		out[k] = codectest.Apart(b, large, small, args[0], append(args[1:len(args):len(args)], files[k]...)...) / apart
	}
	return out
}
