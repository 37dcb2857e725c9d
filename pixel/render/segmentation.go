package render

import (
	"context"
	"encoding/binary"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// maxSegmentFrames is how many frames of a segmentation one image can have over it.
const maxSegmentFrames = 1024

// Segmentation is a Layer: the segments of a Segmentation object (PS3.3 A.51), binary,
// fractional or a label map. Its fields may be set before it is used; then it may be used
// from any number of goroutines.
type Segmentation struct {
	Opacity  float64 // from 0 to 1; 0 is a half
	Segments []int   // numbers of those to draw; none means all

	ds      *dicom.DataSet
	src     *pixel.Source
	kind    string
	most    float64 // the value of a fractional segment that is all there
	colours map[int]color.Color
	frames  []segmentFrame
}

type segmentFrame struct {
	segment int // 0 in a label map
	images  []imageRef
	grid    *grid
}

type imageRef struct {
	instance uid.UID
	item     *dicom.DataSet
}

// ReadSegmentation makes a segmentation ready to be laid over images. src are its frames,
// which are read as they are needed. Errors are FormatError and *dicom.ValueError.
func ReadSegmentation(ds *dicom.DataSet, src *pixel.Source) (*Segmentation, error) {
	s := &Segmentation{ds: ds, src: src, kind: ds.Text(tag.SegmentationType), most: 255}
	d := src.Desc()
	if d.Samples != 1 || !tabular(d) || s.kind != "BINARY" && s.kind != "FRACTIONAL" && s.kind != "LABELMAP" {
		return nil, &dicom.ValueError{Tag: tag.SegmentationType, Reason: fmt.Sprintf("%q with %d samples of %d bits is no segmentation that can be drawn", s.kind, d.Samples, d.BitsAllocated)}
	}
	if v, err := ds.Int(tag.MaximumFractionalValue); err == nil && v > 0 {
		s.most = float64(v)
	}
	s.readColours()
	n := ds.ItemCount(tag.PerFrameFunctionalGroupsSequence)
	if n < src.Len() {
		return nil, FormatError(fmt.Sprintf("a segmentation of %d frames with functional groups of %d: one in tiles without positions cannot be drawn", src.Len(), n))
	}
	for i := range src.Len() {
		s.frames = append(s.frames, readSegmentFrame(groups{ds, i}))
	}
	return s, nil
}

// readColours reads the colours that segments recommend.
func (s *Segmentation) readColours() {
	s.colours = map[int]color.Color{}
	for _, item := range s.ds.Items(tag.SegmentSequence) {
		n, err := item.Int(tag.SegmentNumber)
		if c, ok := labOf(item, tag.RecommendedDisplayCIELabValue); ok && err == nil {
			s.colours[int(n)] = c
		}
	}
}

// distinct are the colours of segments that recommend none.
var distinct = []color.RGBA{
	{230, 60, 60, 255}, {60, 180, 75, 255}, {70, 110, 230, 255}, {245, 200, 40, 255},
	{200, 80, 220, 255}, {60, 200, 220, 255}, {245, 130, 50, 255}, {170, 220, 90, 255},
}

func (s *Segmentation) colour(segment int) color.Color {
	if c, ok := s.colours[segment]; ok {
		return c
	}
	return distinct[max(segment-1, 0)%len(distinct)]
}

func readSegmentFrame(g groups) segmentFrame {
	f := segmentFrame{grid: gridOf(g)}
	if n, err := g.macro(tag.SegmentIdentificationSequence).Int(tag.ReferencedSegmentNumber); err == nil {
		f.segment = int(n)
	}
	for _, source := range g.macro(tag.DerivationImageSequence).Items(tag.SourceImageSequence) {
		f.images = append(f.images, imageRef{source.UID(tag.ReferencedSOPInstanceUID), source})
	}
	return f
}

func (f *segmentFrame) names(g groups) bool {
	instance := g.ds.UID(tag.SOPInstanceUID)
	return slices.ContainsFunc(f.images, func(r imageRef) bool { return r.instance == instance && hasFrame(r.item, g.frame) })
}

// covers reports whether the image is in the plane of the segment.
func (f *segmentFrame) covers(image *grid) bool {
	if f.grid == nil || image == nil || !f.grid.parallel(image) {
		return false
	}
	return math.Abs(image.depth(f.grid)) <= max(f.grid.thickness/2, 0.01)
}

// of returns the frames over an image: those that name it, else those at its place.
func (s *Segmentation) of(g groups, image *grid) (out []int) {
	for i := range s.frames {
		if s.frames[i].names(g) {
			out = append(out, i)
		}
	}
	if len(out) > 0 || !oneFrame(s.ds, g.ds) {
		return out
	}
	for i := range s.frames {
		if s.frames[i].covers(image) {
			out = append(out, i)
		}
	}
	return out
}

func (s *Segmentation) paint(ctx context.Context, m sheet, g groups) error {
	image := gridOf(g)
	frames := s.of(g, image)
	if len(frames) > maxSegmentFrames {
		return FormatError(fmt.Sprintf("%d frames of the segmentation are over one image, %d can be drawn", len(frames), maxSegmentFrames))
	}
	for _, i := range frames {
		if s.kind != "LABELMAP" && !s.wants(s.frames[i].segment) {
			continue
		}
		if err := s.paintFrame(ctx, m, i, image); err != nil {
			return err
		}
	}
	return nil
}

func (s *Segmentation) wants(segment int) bool {
	return len(s.Segments) == 0 || slices.Contains(s.Segments, segment)
}

// paintFrame draws one frame, each pixel with what is nearest.
func (s *Segmentation) paintFrame(ctx context.Context, m sheet, i int, image *grid) error {
	f, d := s.frames[i], s.src.Desc()
	to := same
	switch {
	case f.grid != nil && image != nil:
		to = image.to(f.grid)
	case m.w != d.Columns || m.h != d.Rows:
		return FormatError(fmt.Sprintf("a segmentation of %d x %d pixels that does not say where it is, over an image of %d x %d", d.Columns, d.Rows, m.w, m.h))
	}
	coded, err := s.src.Frame(ctx, i, nil)
	if err != nil {
		return err
	}
	px, _, err := s.src.Decode(i, coded, nil)
	if err != nil {
		return err
	}
	inks := s.inks(m, f.segment, d)
	for y := range m.h {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for x := range m.w {
			c, r := to.at(x, y)
			c, r = math.Floor(c+0.5), math.Floor(r+0.5)
			if c < 0 || r < 0 || c >= float64(d.Columns) || r >= float64(d.Rows) {
				continue
			}
			if k := inks[codeAt(d, px, int(r)*d.Columns+int(c))]; k.share > 0 {
				m.mix(x, y, k.ink, k.share)
			}
		}
	}
	return nil
}

// laid is what a stored value is drawn with.
type laid struct {
	ink   ink
	share int // from 0 to 255
}

// inks is a table of all stored values.
func (s *Segmentation) inks(m sheet, segment int, d pixel.Desc) []laid {
	opacity := s.Opacity
	if opacity == 0 {
		opacity = 0.5
	}
	out := make([]laid, 1<<d.BitsStored)
	for v := 1; v < len(out); v++ {
		part := 1.0
		switch s.kind {
		case "FRACTIONAL":
			part = min(float64(v)/s.most, 1)
		case "LABELMAP":
			if segment = v; !s.wants(v) {
				continue
			}
		}
		out[v] = laid{m.ink(s.colour(segment)), int(min(max(opacity, 0), 1)*part*255 + 0.5)}
	}
	return out
}

// codeAt is the stored bits of one sample.
func codeAt(d pixel.Desc, px []byte, i int) int {
	shift, mask := d.HighBit+1-d.BitsStored, 1<<d.BitsStored-1
	switch d.BitsAllocated {
	case 1:
		return int(px[i/8]>>(i%8)) & 1
	case 8:
		return int(px[i]) >> shift & mask
	}
	return int(binary.LittleEndian.Uint16(px[2*i:])) >> shift & mask
}
