package verb

import (
	"context"
	"errors"
	"fmt"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// verify decodes every frame of a file and of what was made of it. Without loss they must be
// the same; else it says how far they are apart at most.
func (c *converting) verify(ctx context.Context, name string, f *part10.File, result string) error {
	o := dicom.DecodeOptions{}
	if c.Bare {
		o.Syntax = c.Syntax
	}
	g, err := part10.Open(result, o)
	if err != nil {
		return err
	}
	defer g.Close()
	if want := c.Syntax; want != "" && g.Syntax != want {
		return fmt.Errorf("it is %s, not %s", g.Syntax.Name(), want.Name())
	}
	a, err := frames(f.DataSet, f.Syntax)
	if err != nil {
		return err
	}
	b, err := frames(g.DataSet, g.Syntax)
	if err != nil {
		return err
	}
	if a == nil || b == nil {
		if a != nil || b != nil {
			return errors.New("only one of the two has pixel data")
		}
		c.says(c.s, Normal, "%s: verified: there is no pixel data", name)
		return nil
	}
	most, err := compare(ctx, a, b)
	switch {
	case err != nil:
		return err
	case most == 0:
		c.says(c.s, Normal, "%s: verified: %d frames, all pixels equal", name, a.Len())
	case c.lossy() == nil || f.Syntax == g.Syntax:
		return fmt.Errorf("a sample is off by %d, and nothing should be lost", most)
	default:
		c.says(c.s, Normal, "%s: verified: %d frames, the largest difference is %d", name, a.Len(), most)
	}
	return nil
}

// frames are those of a data set, nil if it has none.
func frames(ds *dicom.DataSet, syntax uid.UID) (*pixel.Source, error) {
	s, err := pixel.Frames(ds, syntax, pixel.Limits{})
	if errors.Is(err, pixel.ErrNoPixels) {
		return nil, nil
	}
	return s, err
}

// compare returns the largest difference of two samples. What has another form cannot be
// compared.
func compare(ctx context.Context, a, b *pixel.Source) (int64, error) {
	if a.Len() != b.Len() {
		return 0, fmt.Errorf("%d frames have become %d", a.Len(), b.Len())
	}
	d, e := a.Desc(), b.Desc()
	if d.Rows != e.Rows || d.Columns != e.Columns || d.Samples != e.Samples || d.BitsAllocated != e.BitsAllocated || d.Signed != e.Signed {
		return 0, errors.New("the image has another size, depth or number of samples")
	}
	var most int64
	var raw, x, y []byte
	for i := range a.Len() {
		var was, is pixel.Decoded
		var err error
		if x, was, err = decodeFrame(ctx, a, i, &raw, x[:0]); err != nil {
			return 0, fmt.Errorf("the original: %w", err)
		}
		if y, is, err = decodeFrame(ctx, b, i, &raw, y[:0]); err != nil {
			return 0, err
		}
		if was.Photometric != is.Photometric {
			return 0, fmt.Errorf("%s has become %s, which cannot be compared", was.Photometric, is.Photometric)
		}
		most = max(most, difference(x, y, d))
	}
	return most, nil
}

func decodeFrame(ctx context.Context, s *pixel.Source, i int, raw *[]byte, dst []byte) ([]byte, pixel.Decoded, error) {
	var err error
	if *raw, err = s.Frame(ctx, i, (*raw)[:0]); err != nil {
		return dst, pixel.Decoded{}, err
	}
	return s.Decode(i, *raw, dst)
}

// difference is the largest one between samples of little endian. Where they are no whole
// bytes, it is that of their bytes.
func difference(x, y []byte, d pixel.Desc) int64 {
	step := max(d.BitsAllocated/8, 1)
	if len(x) != len(y) {
		return 1 << 62
	}
	if d.Float || step > 4 {
		step = 1
	}
	var most int64
	for i := 0; i+step <= len(x); i += step {
		v := sample(x[i:i+step], d.Signed && !d.Float) - sample(y[i:i+step], d.Signed && !d.Float)
		most = max(most, v, -v)
	}
	return most
}

func sample(b []byte, signed bool) int64 {
	var v uint32
	for k := range b {
		v |= uint32(b[k]) << (8 * k)
	}
	if unused := 32 - 8*len(b); signed {
		return int64(int32(v<<unused) >> unused)
	}
	return int64(v)
}
