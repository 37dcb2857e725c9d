package verb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/pixel"
	"gantry/pixel/render"
)

// VOI chooses what becomes black and white.
type VOI struct {
	Kind     VOIKind
	N        int             // Nth window or table, counted from 1; Histogram: how many percent to leave out at each end
	Region   image.Rectangle // ROI
	Window   render.Window   // Given
	Function string          // LINEAR or SIGMOID in place of the file's
}

// VOIKind is a way to choose.
type VOIKind uint8

// The kinds. Of several frames one choice is made.
const (
	WholeRange   VOIKind = iota // all values that the samples can have
	StoredWindow                // the Nth window of the file
	StoredTable                 // the Nth VOI LUT of the file
	MinMax                      // from the least to the greatest value
	InnerMinMax                 // the same without those two
	ROI                         // from the least to the greatest value of a region
	Histogram
	Given
)

// options are those of the renderer, and the data set that it is to look at.
func (v *VOI) options(ctx context.Context, ds *dicom.DataSet, src *pixel.Source, first, count int) (*dicom.DataSet, render.Options, error) {
	if src.Desc().Samples != 1 || src.Desc().Photometric == pixel.PaletteColor {
		return ds, render.Options{}, nil
	}
	if v.Kind == StoredTable {
		item, ok := ds.Item(tag.VOILUTSequence, v.N-1)
		if !ok {
			return nil, render.Options{}, fmt.Errorf("no VOI LUT %d: there are %d", v.N, ds.ItemCount(tag.VOILUTSequence))
		}
		ds, err := ds.Edit().SetItems(tag.VOILUTSequence, item).Delete(tag.WindowCenter).Delete(tag.WindowWidth).Build()
		return ds, render.Options{}, err
	}
	w, err := v.window(ctx, ds, src, first, count)
	if err != nil {
		return nil, render.Options{}, err
	}
	if v.Function != "" && v.Kind != WholeRange {
		w.Function = v.Function
	}
	return ds, render.Options{Window: &w}, nil
}

func (v *VOI) window(ctx context.Context, ds *dicom.DataSet, src *pixel.Source, first, count int) (render.Window, error) {
	switch v.Kind {
	case Given:
		return v.Window, nil
	case StoredWindow:
		return storedWindow(ds, v.N)
	}
	d := src.Desc()
	slope, intercept, top, err := modality(ds)
	if err != nil {
		return render.Window{}, err
	}
	if v.Kind == WholeRange {
		low, high := 0.0, float64(uint64(1)<<d.BitsStored-1)
		switch {
		case top > 0:
			high = top
		case d.Signed:
			low = -float64(uint64(1) << (d.BitsStored - 1))
			high += low
		}
		return between(slope*low+intercept, slope*high+intercept), nil
	}
	if top > 0 || d.BitsStored > 16 || d.Float {
		return render.Window{}, errors.New("windows are computed for images of 16 bits at most without a modality LUT: give one, with +Ww or with -M in front")
	}
	counts, err := v.counts(ctx, src, first, count)
	if err != nil {
		return render.Window{}, err
	}
	low, high := v.bounds(counts)
	offset := 0.0
	if d.Signed {
		offset = float64(int(1) << (d.BitsStored - 1))
	}
	a, b := slope*(float64(low)-offset)+intercept, slope*(float64(high)-offset)+intercept
	return render.Window{Center: (a + b + 1) / 2, Width: max(b-a, a-b) + 1}, nil
}

// between is the window from one value to another.
func between(a, b float64) render.Window {
	return render.Window{Center: (a + b) / 2, Width: max(b-a, a-b), Function: "LINEAR_EXACT"}
}

// storedWindow is the Nth window of the file.
func storedWindow(ds *dicom.DataSet, n int) (render.Window, error) {
	c, hasC := ds.Get(tag.WindowCenter)
	w, hasW := ds.Get(tag.WindowWidth)
	if !hasC || !hasW || n < 1 || n > c.Count() || n > w.Count() {
		return render.Window{}, fmt.Errorf("no window %d in the file", n)
	}
	center, err := c.FloatAt(n - 1)
	if err != nil {
		return render.Window{}, err
	}
	width, err := w.FloatAt(n - 1)
	return render.Window{Center: center, Width: width, Function: ds.Text(tag.VOILUTFunction)}, err
}

// modality is the rescale, or the greatest output of the modality LUT, which is 0 without one.
func modality(ds *dicom.DataSet) (slope, intercept, top float64, err error) {
	slope = 1
	if item, ok := ds.Item(tag.ModalityLUTSequence, 0); ok {
		if e, ok := item.Get(tag.LUTDescriptor); ok && e.Count() == 3 {
			bits, err := e.IntAt(2)
			if err != nil || bits < 8 || bits > 16 {
				return 0, 0, 0, fmt.Errorf("a modality LUT with entries of %d bits: %w", bits, err)
			}
			return 1, 0, float64(int(1)<<bits - 1), nil
		}
	}
	for t, p := range map[tag.Tag]*float64{tag.RescaleSlope: &slope, tag.RescaleIntercept: &intercept} {
		if e, ok := ds.Get(t); ok && !e.Empty() {
			if *p, err = e.Float(); err != nil {
				return 0, 0, 0, err
			}
		}
	}
	return slope, intercept, 0, nil
}

// counts tells how often each stored value occurs, the least possible one first.
func (v *VOI) counts(ctx context.Context, src *pixel.Source, first, count int) ([]int64, error) {
	d := src.Desc()
	out := make([]int64, 1<<d.BitsStored)
	region := image.Rect(0, 0, d.Columns, d.Rows)
	if v.Kind == ROI {
		if region = region.Intersect(v.Region); region.Empty() {
			return nil, fmt.Errorf("the region %v is not in the image of %d x %d pixels", v.Region, d.Columns, d.Rows)
		}
	}
	flip := 0
	if d.Signed {
		flip = 1 << (d.BitsStored - 1)
	}
	var coded, px []byte
	for i := range count {
		var err error
		if coded, err = src.Frame(ctx, first+i, coded[:0]); err != nil {
			return nil, err
		}
		if px, _, err = src.Decode(first+i, coded, px[:0]); err != nil {
			return nil, err
		}
		for y := region.Min.Y; y < region.Max.Y; y++ {
			for x := region.Min.X; x < region.Max.X; x++ {
				out[sampleBits(px, y*d.Columns+x, d)^flip]++
			}
		}
	}
	return out, nil
}

// sampleBits is the bits of a sample that are used.
func sampleBits(px []byte, i int, d pixel.Desc) int {
	v := 0
	switch d.BitsAllocated {
	case 1:
		return int(px[i/8]>>(i%8)) & 1
	case 8:
		v = int(px[i])
	case 16:
		v = int(binary.LittleEndian.Uint16(px[2*i:]))
	default: // of which 16 are used at most
		n := d.BitsAllocated / 8
		var b [8]byte
		copy(b[:], px[i*n:][:n])
		return int(binary.LittleEndian.Uint64(b[:])>>(d.HighBit+1-d.BitsStored)) & (1<<d.BitsStored - 1)
	}
	return v >> (d.HighBit + 1 - d.BitsStored) & (1<<d.BitsStored - 1)
}

// bounds are the least and the greatest value to show.
func (v *VOI) bounds(counts []int64) (low, high int) {
	var all, used int64
	for _, n := range counts {
		if all += n; n > 0 {
			used++
		}
	}
	left := int64(0) // how many pixels, or values, to leave out at each end
	switch {
	case v.Kind == Histogram:
		left = all * int64(v.N) / 100
	case v.Kind == InnerMinMax && used > 2:
		left = 1
	case v.Kind == InnerMinMax: // nothing would be left
		return 0, len(counts) - 1
	}
	weigh := func(n int64) int64 {
		if v.Kind == InnerMinMax {
			return min(n, 1)
		}
		return n
	}
	low, high = 0, len(counts)-1
	goOn := func(n, rest int64) bool { return rest > 0 || n == 0 && (left == 0 || v.Kind == InnerMinMax) }
	for rest := left; low < high && goOn(counts[low], rest); low++ {
		rest -= weigh(counts[low])
	}
	for rest := left; high > low && goOn(counts[high], rest); high-- {
		rest -= weigh(counts[high])
	}
	if v.Kind == Histogram && left > 0 && high < len(counts)-1 {
		high++ // the original keeps the last value that it counted at this end
	}
	return low, high
}
