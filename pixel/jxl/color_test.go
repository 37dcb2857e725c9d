package jxl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gantry/pixel/internal/codectest"
)

// TestColors decodes lossy images in colours other than sRGB.
func TestColors(t *testing.T) {
	for args, allowed := range map[string]int{
		"RGB_D65_SRG_Rel_Lin": 4, "RGB_D65_DCI_Rel_SRG": 4, "RGB_D65_202_Rel_PeQ": 4, "RGB_D65_SRG_Rel_709": 4,
		"RGB_EER_SRG_Rel_SRG": 4, "Gra_D65_Rel_Lin": 4,
		// libjxl has no light below 0.00001 where samples are powers of it.
		"RGB_D65_SRG_Rel_g0.4545455": 360, "Gra_D65_Rel_g0.5": 210, "RGB_DCI_DCI_Rel_DCI": 800,
	} {
		m := codectest.Image{Width: 61, Height: 47, Samples: 3, Allocated: 16, Stored: 16}
		if args[0] == 'G' {
			m.Samples = 1
		}
		for _, d := range []string{"-d 0.5", "-d 0.5 -m 1"} {
			near(t, theirs(t, m, m.CT(5), d+" -x color_space="+args), allowed, args+d)
		}
	}
}

// TestOrientation turns images upright as libjxl does.
func TestOrientation(t *testing.T) {
	m := codectest.Image{Width: 40, Height: 23, Samples: 3, Allocated: 8, Stored: 8}
	file := cjpeg(t, pnm(m, m.CT(7)), "-quality 90")
	for o := byte(1); o <= 8; o++ {
		src := convert(t, cjxl, "in.jpg", slices.Concat(file[:2], exif(o), file[2:]), "out.jxl", "--lossless_jpeg=0 -d 1")
		near(t, src, 1, fmt.Sprint("orientation ", o))
		if i, err := DecodeInfo(src); err != nil || i.Width != map[bool]int{false: 40, true: 23}[o > 4] {
			t.Errorf("orientation %d: %+v %v", o, i, err)
		}
	}
}

// TestExtra leaves out a channel of opacity.
func TestExtra(t *testing.T) {
	m := codectest.Image{Width: 300, Height: 61, Samples: 4, Allocated: 8, Stored: 8}
	px := m.CT(3)
	var want []byte
	for i := 0; i < len(px); i += 4 {
		want = append(want, px[i:i+3]...)
	}
	pam := fmt.Appendf(nil, "P7\nWIDTH %d\nHEIGHT %d\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n", m.Width, m.Height)
	for _, args := range []string{"-e 3", "-e 7", "-R 1 -p -g 0", "--ec_resampling=1"} {
		src := convert(t, cjxl, "in.pam", append(pam, px...), "out.jxl", "-d 0 --keep_invisible=1 "+args)
		got, info, err := Decode(nil, src, DecodeOptions{})
		if err != nil || info.Extra != 1 || !bytes.Equal(got, want) {
			t.Errorf("%s: %+v, %v, or other samples", args, info, err)
		}
	}
	src := convert(t, cjxl, "in.pam", append(pam, px...), "out.jxl", "-d 1")
	if got, info, err := Decode(nil, src, DecodeOptions{}); err != nil || len(got) != len(want) || info.Extra != 1 {
		t.Errorf("lossy: %+v, %d bytes, %v", info, len(got), err)
	}
}

// profile is an ICC profile (ISO 15076-1) of colours that have no name.
func profile() []byte {
	num := func(v float64) []byte { return binary.BigEndian.AppendUint32(nil, uint32(int32(v*65536))) }
	xyz := func(x, y, z float64) []byte {
		return slices.Concat([]byte("XYZ \x00\x00\x00\x00"), num(x), num(y), num(z))
	}
	curve := []byte("curv\x00\x00\x00\x00\x00\x00\x00\x40")
	for i := range 64 {
		curve = binary.BigEndian.AppendUint16(curve, uint16(i*i*16+i*32))
	}
	tags := []struct {
		name string
		body []byte
	}{
		{"desc", []byte("desc\x00\x00\x00\x00\x00\x00\x00\x05test\x00" + strings.Repeat("\x00", 80))},
		{"cprt", []byte("text\x00\x00\x00\x00none\x00")}, {"wtpt", xyz(0.9642, 1, 0.8249)},
		{"rXYZ", xyz(0.45, 0.23, 0.02)}, {"gXYZ", xyz(0.37, 0.70, 0.09)}, {"bXYZ", xyz(0.1442, 0.07, 0.7149)},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	head := make([]byte, 128)
	copy(head[8:], "\x02\x40\x00\x00mntrRGB XYZ ")
	copy(head[36:], "acsp")
	copy(head[68:], slices.Concat(num(0.9642), num(1), num(0.8249)))
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var body []byte
	for _, t := range tags {
		at := 128 + 4 + 12*len(tags) + len(body)
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(at))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.body)))
		body = append(body, t.body...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	out := slices.Concat(head, table, body)
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}

// TestICC passes over a profile: the samples of a lossless image are in its colours.
func TestICC(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.icc")
	if err := os.WriteFile(name, profile(), 0o600); err != nil {
		t.Fatal(err)
	}
	m := codectest.Image{Width: 40, Height: 23, Samples: 3, Allocated: 8, Stored: 8}
	args := "-e 4 -x icc_pathname=" + name
	exact(t, m, m.CT(1), args)
	s, err := open(theirs(t, m, m.CT(1), "-d 0 "+args), Limits{})
	if err != nil || !s.color.icc {
		t.Errorf("no profile in the stream: %v", err)
	}
}
