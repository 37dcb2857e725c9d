package render

import (
	"bytes"
	"errors"
	"image"
	"math"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/pixel"
)

func build(t testing.TB, e *dicom.Editor) *dicom.DataSet {
	t.Helper()
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func edit() *dicom.Editor { return new(dicom.DataSet).Edit() }

// form is one row of unsigned samples of some bits.
func form(columns, allocated, stored int) pixel.Desc {
	return pixel.Desc{Rows: 1, Columns: columns, Samples: 1, BitsAllocated: allocated, BitsStored: stored, HighBit: stored - 1, Photometric: pixel.Monochrome2, Frames: 1}
}

func with(d pixel.Desc, change func(*pixel.Desc)) pixel.Desc {
	change(&d)
	return d
}

func descriptor(n, first, bits int64) []byte {
	return []byte{byte(n), byte(n >> 8), byte(first), byte(first >> 8), byte(bits), 0}
}

func window(c, w, function string) *dicom.Editor {
	return edit().SetText(tag.WindowCenter, c).SetText(tag.WindowWidth, w).SetText(tag.VOILUTFunction, function)
}

func frameVOI(t testing.TB, c, w string) *dicom.DataSet {
	return build(t, edit().SetItems(tag.FrameVOILUTSequence, build(t, window(c, w, ""))))
}

func frameRescale(t testing.TB, slope, intercept string) *dicom.DataSet {
	item := edit().SetText(tag.RescaleSlope, slope).SetText(tag.RescaleIntercept, intercept).SetText(tag.RescaleType, "US")
	return build(t, edit().SetItems(tag.PixelValueTransformationSequence, build(t, item)))
}

func lutItem(t testing.TB, first, bits int64, data ...byte) *dicom.DataSet {
	return build(t, edit().SetBytes(tag.LUTDescriptor, vr.US, descriptor(int64(len(data)/2), first, bits)).SetBytes(tag.LUTData, vr.OW, data))
}

// TestGrey checks the grey pipeline with numbers worked out by the formulas of PS3.3 C.11.
func TestGrey(t *testing.T) {
	bytes4, words3 := form(4, 8, 8), form(3, 16, 12)
	signed := with(words3, func(d *pixel.Desc) { d.Signed = true })
	for name, c := range map[string]struct {
		e    *dicom.Editor
		d    pixel.Desc
		px   []byte
		o    Options
		want []byte
	}{
		"automatic":          {edit(), bytes4, []byte{10, 20, 30, 60}, Options{}, []byte{0, 51, 102, 255}},
		"automatic, padded":  {edit().SetInt(tag.PixelPaddingValue, 200), bytes4, []byte{10, 20, 60, 200}, Options{}, []byte{0, 51, 255, 255}},
		"padding range":      {edit().SetInt(tag.PixelPaddingValue, 200).SetInt(tag.PixelPaddingRangeLimit, 60), bytes4, []byte{10, 20, 60, 200}, Options{}, []byte{0, 255, 255, 255}},
		"flat":               {edit(), bytes4, []byte{7, 7, 7, 7}, Options{}, []byte{0, 0, 0, 0}},
		"linear":             {window("50.5", "101", "LINEAR"), bytes4, []byte{0, 25, 50, 100}, Options{}, []byte{0, 64, 128, 255}},
		"linear exact":       {window("50", "100", "LINEAR_EXACT"), bytes4, []byte{0, 25, 50, 100}, Options{}, []byte{0, 64, 128, 255}},
		"sigmoid":            {window("50", "100", "SIGMOID"), bytes4, []byte{0, 25, 50, 100}, Options{}, []byte{30, 69, 128, 225}},
		"narrowest":          {window("20", "1", ""), bytes4, []byte{18, 19, 20, 21}, Options{}, []byte{0, 0, 255, 255}},
		"first of several":   {edit().SetText(tag.WindowCenter, "50.5", "9").SetText(tag.WindowWidth, "101", "9"), bytes4, []byte{0, 25, 50, 100}, Options{}, []byte{0, 64, 128, 255}},
		"not the stored":     {window("9", "9", ""), bytes4, []byte{0, 25, 50, 100}, Options{VOI: Automatic}, []byte{0, 64, 128, 255}},
		"given window":       {window("9", "9", ""), bytes4, []byte{0, 25, 50, 100}, Options{Window: &Window{Center: 50.5, Width: 101}}, []byte{0, 64, 128, 255}},
		"rescaled":           {window("101", "201", "").SetText(tag.RescaleSlope, "2").SetText(tag.RescaleIntercept, "1"), bytes4, []byte{0, 25, 50, 100}, Options{}, []byte{1, 64, 128, 255}},
		"negative slope":     {edit().SetText(tag.RescaleSlope, "-1"), bytes4, []byte{0, 51, 102, 255}, Options{}, []byte{255, 204, 153, 0}},
		"monochrome1":        {edit(), with(bytes4, func(d *pixel.Desc) { d.Photometric = pixel.Monochrome1 }), []byte{0, 51, 102, 255}, Options{}, []byte{255, 204, 153, 0}},
		"inverse once":       {edit().SetText(tag.PresentationLUTShape, "INVERSE"), with(bytes4, func(d *pixel.Desc) { d.Photometric = pixel.Monochrome1 }), []byte{0, 51, 102, 255}, Options{}, []byte{255, 204, 153, 0}},
		"signed":             {edit(), signed, []byte{0, 8, 0, 0, 0xFF, 7}, Options{}, []byte{0, 128, 255}},
		"high bit":           {edit(), with(words3, func(d *pixel.Desc) { d.HighBit = 15 }), []byte{0x0F, 0, 0x1F, 0, 0x2F, 0}, Options{}, []byte{0, 128, 255}},
		"bits above":         {edit(), words3, []byte{0, 0xF0, 1, 0x80, 2, 0}, Options{}, []byte{0, 128, 255}},
		"single bits":        {edit(), form(4, 1, 1), []byte{0b1010}, Options{}, []byte{0, 255, 0, 255}},
		"modality LUT":       {edit().SetItems(tag.ModalityLUTSequence, lutItem(t, 1, 16, 0, 0, 100, 0, 50, 0)), bytes4, []byte{0, 2, 3, 9}, Options{}, []byte{0, 255, 128, 128}},
		"VOI LUT":            {edit().SetItems(tag.VOILUTSequence, lutItem(t, 1, 10, 0, 0, 0, 2, 255, 3)), bytes4, []byte{0, 2, 3, 9}, Options{}, []byte{0, 128, 255, 255}},
		"VOI LUT, negative":  {edit().SetText(tag.RescaleIntercept, "-2").SetItems(tag.VOILUTSequence, lutItem(t, 0xFFFF, 8, 0, 0, 128, 0, 255, 0)), bytes4, []byte{0, 1, 2, 3}, Options{}, []byte{0, 0, 128, 255}},
		"per frame":          {edit().SetItems(tag.SharedFunctionalGroupsSequence, frameVOI(t, "9", "9")).SetItems(tag.PerFrameFunctionalGroupsSequence, frameVOI(t, "50.5", "101")), bytes4, []byte{0, 25, 50, 100}, Options{}, []byte{0, 64, 128, 255}},
		"shared":             {window("9", "9", "").SetItems(tag.SharedFunctionalGroupsSequence, frameVOI(t, "50.5", "101")), bytes4, []byte{0, 25, 50, 100}, Options{}, []byte{0, 64, 128, 255}},
		"rescaled per frame": {edit().SetItems(tag.PerFrameFunctionalGroupsSequence, frameRescale(t, "2", "1")).SetItems(tag.SharedFunctionalGroupsSequence, frameVOI(t, "101", "201")), bytes4, []byte{0, 25, 50, 100}, Options{}, []byte{1, 64, 128, 255}},
		"rescaled shared":    {edit().SetItems(tag.SharedFunctionalGroupsSequence, frameRescale(t, "-1", "0")), bytes4, []byte{0, 51, 102, 255}, Options{}, []byte{255, 204, 153, 0}},
		"presentation LUT":   {edit().SetItems(tag.PresentationLUTSequence, lutItem(t, 0, 8, 255, 0, 0, 0, 128, 0)), bytes4, []byte{0, 51, 128, 255}, Options{}, []byte{255, 255, 0, 128}},
		"shape of an option": {edit().SetText(tag.PresentationLUTShape, "INVERSE"), bytes4, []byte{0, 51, 102, 255}, Options{Shape: Identity}, []byte{0, 51, 102, 255}},
		"32 bits":            {edit(), form(2, 32, 32), []byte{0, 0, 0, 0, 255, 255, 255, 255}, Options{}, []byte{0, 255}},
		"40 bits":            {edit(), form(3, 40, 36), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 255, 255, 255, 255, 15}, Options{}, []byte{0, 128, 255}},
		"64 bits":            {edit(), form(2, 64, 64), []byte{0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}, Options{}, []byte{0, 255}},
		"floats":             {edit(), with(form(3, 32, 32), func(d *pixel.Desc) { d.Float = true }), []byte{0, 0, 0x80, 0x3F, 0, 0, 0xC0, 0x7F, 0, 0, 0, 0x40}, Options{}, []byte{0, 0, 255}},
		"deep":               {edit(), bytes4, []byte{0, 51, 102, 255}, Options{Deep: true}, []byte{0, 0, 51, 51, 102, 102, 255, 255}},
	} {
		m, err := Samples(build(t, c.e), c.d, c.px, 0, c.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := pix(m); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func pix(m image.Image) []byte {
	switch m := m.(type) {
	case *image.Gray:
		return m.Pix
	case *image.Gray16:
		return m.Pix
	case *image.RGBA:
		return m.Pix
	}
	return nil
}

func palettes(t testing.TB, desc []byte, tags int, data ...[]byte) *dicom.DataSet {
	e := edit()
	for c := range palette {
		e.SetBytes(palette[c][0], vr.US, desc).SetBytes(palette[c][tags], vr.OW, data[c])
	}
	return build(t, e)
}

func deepRGB(allocated, stored int) pixel.Desc {
	return with(form(1, allocated, stored), func(d *pixel.Desc) { d.Photometric, d.Samples = pixel.RGB, 3 })
}

func TestColour(t *testing.T) {
	index := with(form(3, 8, 8), func(d *pixel.Desc) { d.Photometric = pixel.PaletteColor })
	rgb := with(form(1, 8, 8), func(d *pixel.Desc) { d.Photometric, d.Samples = pixel.RGB, 3 })
	empty := build(t, edit())
	full := make([]byte, 1<<17)
	copy(full[2*9:], []byte{0, 77})
	// 10, then a line of two steps to 14, then the first two segments once more
	seg := []byte{0, 0, 1, 0, 0, 10, 1, 0, 2, 0, 0, 14, 2, 0, 2, 0, 0, 0, 0, 0}
	for name, c := range map[string]struct {
		ds   *dicom.DataSet
		d    pixel.Desc
		px   []byte
		want []byte
	}{
		"rgb":          {empty, rgb, []byte{1, 2, 3}, []byte{1, 2, 3, 255}},
		"rgb, 12 bits": {empty, with(rgb, func(d *pixel.Desc) { d.BitsAllocated, d.BitsStored, d.HighBit = 16, 12, 11 }), []byte{0xFF, 0xF, 0, 8, 0, 0}, []byte{255, 128, 0, 255}},
		"rgb, 32 bits": {empty, deepRGB(32, 32), []byte{255, 255, 255, 255, 0, 0, 0, 128, 0, 0, 0, 0}, []byte{255, 128, 0, 255}},
		"rgb, 20 bits": {empty, deepRGB(32, 20), []byte{255, 255, 15, 0, 0, 0, 8, 0, 0, 0, 0, 99}, []byte{255, 128, 0, 255}},
		"rgb, 40 bits": {empty, deepRGB(40, 36), []byte{255, 255, 255, 255, 15, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0}, []byte{255, 128, 0, 255}},
		"rgb, 64 bits": {empty, deepRGB(64, 64), []byte{255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0}, []byte{255, 128, 0, 255}},
		"ybr, grey":    {empty, with(rgb, func(d *pixel.Desc) { d.Photometric = pixel.YBRFull }), []byte{99, 128, 128}, []byte{99, 99, 99, 255}},
		"ybr, red":     {empty, with(rgb, func(d *pixel.Desc) { d.Photometric = pixel.YBRFull }), []byte{76, 85, 255}, []byte{254, 0, 0, 255}},
		"palette":      {palettes(t, descriptor(2, 5, 16), 1, []byte{0, 1, 0, 2}, []byte{0, 3, 0, 4}, []byte{0, 5, 255, 6}), index, []byte{0, 6, 9}, []byte{1, 3, 5, 255, 2, 4, 6, 255, 2, 4, 6, 255}},
		"8-bit words":  {palettes(t, descriptor(2, 0, 8), 1, []byte{1, 0, 2, 0}, []byte{3, 0, 4, 0}, []byte{5, 0, 6, 0}), index, []byte{0, 1, 9}, []byte{1, 3, 5, 255, 2, 4, 6, 255, 2, 4, 6, 255}},
		"packed":       {palettes(t, descriptor(2, 0, 8), 1, []byte{1, 2}, []byte{3, 4}, []byte{5, 6}), index, []byte{0, 1, 9}, []byte{1, 3, 5, 255, 2, 4, 6, 255, 2, 4, 6, 255}},
		"65,536":       {palettes(t, descriptor(0, 0, 16), 1, full, full, full), index, []byte{0, 9, 10}, []byte{0, 0, 0, 255, 77, 77, 77, 255, 0, 0, 0, 255}},
		"segmented":    {palettes(t, descriptor(6, 0, 16), 2, seg, seg, seg), index, []byte{1, 3, 5}, []byte{12, 12, 12, 255, 10, 10, 10, 255, 14, 14, 14, 255}},
	} {
		m, err := Samples(c.ds, c.d, c.px, 0, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := pix(m); !bytes.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestBigEndian checks that tables are words in the byte order of their transfer syntax,
// bytes packed into words too.
func TestBigEndian(t *testing.T) {
	index := with(form(2, 8, 8), func(d *pixel.Desc) { d.Photometric = pixel.PaletteColor })
	for bits, data := range map[int64][]byte{16: {0, 1, 0, 2}, 8: {1, 2}} {
		little := palettes(t, descriptor(2, 0, bits), 1, data, data, data)
		b, err := dicom.AppendEncode(nil, little, uid.ExplicitVRBigEndian)
		if err != nil {
			t.Fatal(err)
		}
		big, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: uid.ExplicitVRBigEndian})
		if err != nil {
			t.Fatal(err)
		}
		m, err := Samples(big, index, []byte{0, 1}, 0, Options{})
		if want := []byte{1, 1, 1, 255, 2, 2, 2, 255}; err != nil || !bytes.Equal(pix(m), want) {
			t.Errorf("%d bits: %v, want %v", bits, err, want)
		}
	}
}

// TestErrors checks that what is wrong is said.
func TestErrors(t *testing.T) {
	d := form(1, 8, 8)
	index := with(d, func(d *pixel.Desc) { d.Photometric = pixel.PaletteColor })
	bad := func(seg ...byte) *dicom.DataSet { return palettes(t, descriptor(6, 0, 16), 2, seg, seg, seg) }
	for want, c := range map[string]struct {
		ds *dicom.DataSet
		d  pixel.Desc
		o  Options
	}{
		"too little":                  {build(t, window("1", "0.5", "")), d, Options{}},
		"is not LINEAR":               {build(t, window("1", "2", "CUBIC")), d, Options{}},
		"must be numbers":             {build(t, edit()), d, Options{Window: &Window{Center: math.NaN(), Width: 2}}},
		"every pixel would be":        {build(t, edit().SetText(tag.RescaleSlope, "0")), d, Options{}},
		"(0028,1101)":                 {build(t, edit()), index, Options{}},
		"entries of 7 bits":           {palettes(t, descriptor(1, 0, 7), 1, []byte{0, 0}, []byte{0, 0}, []byte{0, 0}), index, Options{}},
		"the descriptor says":         {palettes(t, descriptor(9, 0, 16), 1, []byte{0, 0}, []byte{0, 0}, []byte{0, 0}), index, Options{}},
		"refers to what":              {bad(2, 0, 1, 0, 0, 0, 0, 0), index, Options{}},
		"has no begin":                {bad(1, 0, 1, 0, 0, 0), index, Options{}},
		"beyond the data":             {bad(0, 0, 5, 0, 0, 0), index, Options{}},
		"is empty":                    {bad(0, 0, 0, 0, 0, 0), index, Options{}},
		"more entries":                {bad(0, 0, 7, 0, 0, 0), index, Options{}},
		"CMYK":                        {build(t, edit()), with(d, func(d *pixel.Desc) { d.Photometric = "CMYK" }), Options{}},
		"0 x 1 pixels take 0":         {build(t, edit()), with(d, func(d *pixel.Desc) { d.Columns = 0 }), Options{}},
		"a table has 1048576 at most": {palettes(t, descriptor(9, 0, 16), 1, make([]byte, 1<<20+2), []byte{0, 0}, []byte{0, 0}), index, Options{}},
		"refers to a reference":       {bad(0, 0, 1, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0, 0, 9, 0, 1, 0, 0, 0), index, Options{}},
	} {
		_, err := Samples(c.ds, c.d, []byte{0}, 0, c.o)
		var value *dicom.ValueError
		var format FormatError
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &value) && !errors.As(err, &format) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
