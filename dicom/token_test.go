package dicom

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// tokens lists what a decoder finds, values included.
func tokens(d *Decoder) (string, error) {
	var b strings.Builder
	for {
		t, err := d.ReadToken()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		fmt.Fprintf(&b, "%v %v %v", t.Kind, t.Tag, t.VR)
		switch t.Kind {
		case ElementStart, Fragment:
			v, err := d.AppendValue(nil)
			if err != nil && err != io.ErrUnexpectedEOF {
				return b.String(), err
			}
			fmt.Fprintf(&b, " % x %v", v, t.BigEndian)
		}
		b.WriteByte('\n')
	}
}

// events lists a data set as tokens would.
func events(b *strings.Builder, ds *DataSet) {
	for e := range ds.All() {
		switch {
		case e.IsSequence():
			fmt.Fprintf(b, "%v %v %v\n", SequenceStart, e.Tag, e.VR)
			for i := range e.ItemCount() {
				fmt.Fprintf(b, "%v %v %v\n", ItemStart, tagItem, vr.VR(0))
				events(b, e.Item(i))
				fmt.Fprintf(b, "%v %v %v\n", ItemEnd, tagItem, vr.VR(0))
			}
			fmt.Fprintf(b, "%v %v %v\n", SequenceEnd, e.Tag, vr.VR(0))
		case e.IsEncapsulated():
			fmt.Fprintf(b, "%v %v %v\n", FragmentsStart, e.Tag, e.VR)
			for i := range e.FragmentCount() {
				f := e.Fragment(i)
				fmt.Fprintf(b, "%v %v %v % x %v\n", Fragment, f.Tag, f.VR, f.Bytes(), f.BigEndian())
			}
			fmt.Fprintf(b, "%v %v %v\n", FragmentsEnd, e.Tag, vr.VR(0))
		default:
			fmt.Fprintf(b, "%v %v %v % x %v\n", ElementStart, e.Tag, e.VR, e.Bytes(), e.BigEndian())
		}
	}
}

// FuzzTokens holds that the tokens are the elements of the data set, that the flaws are
// the same, and that neither depends on how the input arrives.
func FuzzTokens(f *testing.F) {
	for i, syntax := range layouts {
		b, err := AppendEncode(nil, sample(f), syntax)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(i))
	}
	f.Add([]byte("\x08\x00\x40\x11UN\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff\x10\x00\x20\x00\x02\x00\x00\x0012"), uint8(1))
	f.Add([]byte("\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x02\x00\x00\x00ab\xfe\xff\xdd\xe0\x00\x00\x00\x00"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, layout uint8) {
		o := DecodeOptions{Syntax: layouts[int(layout)%len(layouts)], Limits: Limits{MaxElements: 10_000, MaxValue: -1}}
		ds, err := DecodeBytes(b, o)
		for name, r := range map[string]io.Reader{
			"seeker": bytes.NewReader(b),
			"stream": iotest.OneByteReader(bytes.NewReader(b)),
		} {
			d := NewDecoder(r, o)
			got, tokenErr := tokens(d)
			if (err == nil) != (tokenErr == nil) {
				t.Fatalf("%s: error %v, of the data set %v", name, tokenErr, err)
			}
			if err != nil {
				continue
			}
			var want strings.Builder
			if events(&want, ds); got != want.String() {
				t.Fatalf("%s: tokens\n%sof a data set\n%s", name, got, want.String())
			}
			if d.InputOffset() != ds.Size() || d.Depth() != 0 {
				t.Fatalf("%s: ended at %d of %d, depth %d", name, d.InputOffset(), ds.Size(), d.Depth())
			}
			if name == "seeker" && fmt.Sprint(d.Flaws()) != fmt.Sprint(ds.Flaws()) {
				t.Fatalf("flaws %v, of the data set %v", d.Flaws(), ds.Flaws())
			}
			skipAll(t, b, o, got)
		}
	})
}

// skipAll holds that going over every value and every second sequence ends as well.
func skipAll(t *testing.T, b []byte, o DecodeOptions, all string) {
	d := NewDecoder(bytes.NewReader(b), o)
	n := 0
	for {
		tok, err := d.ReadToken()
		if err == io.EOF {
			break
		}
		if err == nil && tok.Kind != SequenceStart || n%2 == 1 {
			err = d.SkipValue()
		}
		if n++; err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if most := strings.Count(all, "\n"); n > most {
		t.Fatalf("%d tokens with skipping, %d without", n, most)
	}
}

func TestDecoderValue(t *testing.T) {
	big := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(big)
	ds, err := sample(t).Edit().SetBytes(tag.PixelData, vr.OW, big).Build()
	if err != nil {
		t.Fatal(err)
	}
	b, err := AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	d := NewDecoder(iotest.HalfReader(bytes.NewReader(b)), DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
	var last io.Reader
	for {
		tok, err := d.ReadToken()
		if err != nil {
			t.Fatal(err)
		}
		if last != nil {
			if _, err := last.Read(make([]byte, 1)); !errors.Is(err, ErrTokenGone) {
				t.Fatalf("old value: %v", err)
			}
		}
		last = d.Value()
		if tok.Tag != tag.PixelData {
			continue
		}
		got, err := io.ReadAll(io.MultiReader(io.LimitReader(d.Value(), 1000), d.Value()))
		if err != nil || !bytes.Equal(got, big) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		break
	}
	if tok, err := d.ReadToken(); err != io.EOF {
		t.Errorf("%v %v", tok, err)
	}
	if n := cap(d.s.src.buf); n > 4*mostChunk {
		t.Errorf("a buffer of %d bytes", n)
	}
}

func TestDecoderTruncated(t *testing.T) {
	b := []byte("\x10\x00\x10\x00PN\x10\x00abc")
	d := NewDecoder(struct{ io.Reader }{bytes.NewReader(b)}, DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
	tok, err := d.ReadToken()
	if err != nil || tok.Length != 16 {
		t.Fatal(tok, err)
	}
	got, err := io.ReadAll(d.Value())
	if string(got) != "abc" || err != io.ErrUnexpectedEOF {
		t.Errorf("%q %v", got, err)
	}
	if _, err := d.ReadToken(); err != io.EOF || len(d.Flaws()) != 1 || d.Flaws()[0].Kind != FlawTruncated {
		t.Errorf("%v %v", err, d.Flaws())
	}
	strict := NewDecoder(bytes.NewReader(b), DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, OnFlaw: Strict})
	var flaw *Flaw
	if _, err := strict.ReadToken(); !errors.As(err, &flaw) {
		t.Errorf("strict: %v", err)
	}
	broken := NewDecoder(io.MultiReader(bytes.NewReader(b), iotest.ErrReader(io.ErrClosedPipe)), DecodeOptions{})
	broken.ReadToken()
	if err := broken.SkipValue(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("broken stream: %v", err)
	}
}

func TestDecoderLimits(t *testing.T) {
	deep := strings.Repeat("\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff", 100)
	d := NewDecoder(strings.NewReader(deep), DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
	var limit *LimitError
	if _, err := tokens(d); !errors.As(err, &limit) || limit.Limit != "MaxDepth" {
		t.Error(err)
	}
	d = NewDecoder(struct{ io.Reader }{strings.NewReader("\x10\x00\x10\x00UT\x00\x00\x00\x00\x00\x70")}, DecodeOptions{Limits: Limits{MaxValue: 100}})
	d.ReadToken()
	if _, err := d.AppendValue(nil); !errors.As(err, &limit) || limit.Limit != "MaxValue" {
		t.Error(err)
	}
}

func BenchmarkTokens(b *testing.B) {
	raw := ctHeader(b)
	r := bytes.NewReader(raw)
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(raw)
		d := NewDecoder(r, DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
		for {
			if _, err := d.ReadToken(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
