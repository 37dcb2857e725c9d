package ecg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// made is a waveform of some leads: in each, sample i is 1000 where i is 250 and 0 elsewhere.
func made(t testing.TB, codes []string, change func(channel, group *dicom.Editor)) *dicom.DataSet {
	t.Helper()
	build := func(e *dicom.Editor) *dicom.DataSet {
		ds, err := e.Build()
		if err != nil {
			t.Fatal(err)
		}
		return ds
	}
	samples := 5000
	if _, ok := t.(*testing.F); ok { // small inputs are tried faster
		samples = 100
	}
	g := new(dicom.DataSet).Edit()
	var channels []*dicom.DataSet
	for _, code := range codes {
		c := new(dicom.DataSet).Edit().
			SetItems(tag.ChannelSourceSequence, build(new(dicom.DataSet).Edit().SetText(tag.CodeValue, code).SetText(tag.CodeMeaning, "Lead X"))).
			SetItems(tag.ChannelSensitivityUnitsSequence, build(new(dicom.DataSet).Edit().SetText(tag.CodeValue, "uV"))).
			SetText(tag.ChannelSensitivity, "1").SetText(tag.ChannelSensitivityCorrectionFactor, "1").SetText(tag.ChannelBaseline, "0")
		change(c, g)
		channels = append(channels, build(c))
	}
	var b []byte
	for i := range samples {
		for range codes {
			v := int16(0)
			if i == 250 {
				v = 1000
			}
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
	}
	g.SetInt(tag.NumberOfWaveformChannels, int64(len(codes))).SetInt(tag.NumberOfWaveformSamples, int64(samples)).SetText(tag.SamplingFrequency, "500").
		SetInt(tag.WaveformBitsAllocated, 16).SetText(tag.WaveformSampleInterpretation, "SS").
		SetItems(tag.ChannelDefinitionSequence, channels...).SetBytes(tag.WaveformData, vr.OW, b)
	change(nil, g)
	return build(new(dicom.DataSet).Edit().SetText(tag.PatientName, "Roe^Richard").SetItems(tag.WaveformSequence, build(g)))
}

func asIs(_, _ *dicom.Editor) {}

func twelveCodes() (out []string) {
	for _, n := range []int{1, 2, 61, 62, 63, 64, 3, 4, 5, 6, 7, 8} {
		out = append(out, "2:"+strconv.Itoa(n))
	}
	return out
}

// TestLayout finds the peak of lead I: a millivolt, half a second from the left, in the first
// row; and that of the rhythm strip.
func TestLayout(t *testing.T) {
	p, err := NewPage(made(t, twelveCodes(), asIs))
	if err != nil {
		t.Fatal(err)
	}
	peaks := map[point]bool{}
	for _, l := range p.traces {
		for i, at := range l {
			if i > 0 && i < len(l)-1 && at.y < l[0].y-5 && len(l) > 100 {
				peaks[at] = true
			}
		}
	}
	x := left + 0.5*perSecond
	for _, want := range []point{{x, top + 22.5 - 10}, {x, top + 65 - 10}, {x, top + 107.5 - 10}, {x, top + 150 - 10}} {
		if !peaks[want] {
			t.Errorf("no peak at %v: %v", want, peaks)
		}
	}
	if len(peaks) != 4 {
		t.Errorf("%d peaks: %v", len(peaks), peaks)
	}
	if len(p.texts) != 13+4 {
		t.Errorf("%d texts", len(p.texts))
	}
}

// TestScale has sensitivity, correction, baseline, units and skew in it (PS3.3 C.10.9.1.4).
func TestScale(t *testing.T) {
	ds := made(t, []string{"2:1"}, func(c, _ *dicom.Editor) {
		if c != nil {
			c.SetText(tag.ChannelSensitivity, "2").SetText(tag.ChannelSensitivityCorrectionFactor, "0.5").SetText(tag.ChannelBaseline, "100").
				SetText(tag.ChannelTimeSkew, "0.1")
		}
	})
	g, err := read(ds)
	if err != nil {
		t.Fatal(err)
	}
	l := g.leads[0]
	if l.name != "I" || math.Abs(l.mv[250]-1.1) > 1e-9 || math.Abs(l.mv[0]-0.1) > 1e-9 || l.skew != 0.1 {
		t.Errorf("%s: %g, %g mV, skew %g", l.name, l.mv[250], l.mv[0], l.skew)
	}
}

// TestPadding leaves gaps.
func TestPadding(t *testing.T) {
	ds := made(t, []string{"2:1"}, func(_, g *dicom.Editor) { g.SetBytes(tag.WaveformPaddingValue, vr.OW, []byte{0xE8, 3}) })
	g, err := read(ds)
	if err != nil || !math.IsNaN(g.leads[0].mv[250]) || math.IsNaN(g.leads[0].mv[249]) {
		t.Errorf("%v", err)
	}
}

// TestMiscounted believes the length of the data where channels are defined but not counted.
func TestMiscounted(t *testing.T) {
	miscount := func(_, g *dicom.Editor) { g.SetInt(tag.NumberOfWaveformChannels, 1) }
	g, err := read(made(t, twelveCodes(), miscount))
	if err != nil || len(g.leads) != 12 {
		t.Errorf("%+v, %v", g, err)
	}
	_, err = read(made(t, twelveCodes(), func(c, g *dicom.Editor) {
		miscount(c, g)
		g.SetBytes(tag.WaveformData, vr.OW, make([]byte, 50_000))
	}))
	if err == nil || !strings.Contains(err.Error(), "1 channels are counted and 12 defined") {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c, g *dicom.Editor)
		want   string
	}{
		"huge": {func(c, g *dicom.Editor) {
			if c == nil {
				g.SetInt(tag.NumberOfWaveformSamples, math.MaxUint32).SetText(tag.SamplingFrequency, "1000000")
			}
		}, "bytes of samples"},
		"channels": {func(c, g *dicom.Editor) {
			if c == nil {
				g.SetInt(tag.NumberOfWaveformChannels, 65535)
			}
		}, "65535 channels"},
		"rate": {func(c, g *dicom.Editor) {
			if c == nil {
				g.SetText(tag.SamplingFrequency, "0")
			}
		}, "0 Hz"},
		"coded": {func(c, g *dicom.Editor) {
			if c == nil {
				g.SetText(tag.WaveformSampleInterpretation, "MB")
			}
		}, `"MB"`},
		"pressure": {func(c, g *dicom.Editor) {
			if c != nil {
				c.SetItems(tag.ChannelSensitivityUnitsSequence)
			}
		}, "volts"},
	} {
		_, err := NewPage(made(t, []string{"2:1"}, c.change))
		var format FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewPage(new(dicom.DataSet)); err == nil {
		t.Error("nothing was drawn")
	}
}

// TestSamples draws real electrocardiograms as picture and as PDF: there is ink, and the
// table of the PDF leads to its objects.
func TestSamples(t *testing.T) {
	root := os.Getenv("GANTRY_SAMPLES")
	if root == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("GANTRY_SAMPLES is not set")
		}
		t.Skip("GANTRY_SAMPLES IS NOT SET: no real file was drawn")
	}
	for _, name := range []string{"fedorov+pixelmed/com/pixelmed/displaywave/1074466202.fixed.dcm", "pydicom+pydicom/src/pydicom/data/test_files/waveform_ecg.dcm"} {
		f, err := part10.Open(filepath.Join(root, name), dicom.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		p, err := NewPage(f.DataSet)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m, err := p.Image(4)
		if err != nil {
			t.Fatal(err)
		}
		black := 0
		for i := 0; i < len(m.Pix); i += 4 {
			if m.Pix[i] < 64 && m.Pix[i+1] < 64 {
				black++
			}
		}
		if black < 10_000 {
			t.Errorf("%s: %d black pixels", name, black)
		}
		var b bytes.Buffer
		if err := p.WritePDF(&b); err != nil {
			t.Fatal(err)
		}
		checkPDF(t, b.Bytes())
	}
}

func checkPDF(t *testing.T, b []byte) {
	t.Helper()
	_, last, ok := bytes.Cut(b, []byte("startxref\n"))
	at, err := strconv.Atoi(strings.SplitN(string(last), "\n", 2)[0])
	if !ok || err != nil || !bytes.HasPrefix(b[at:], []byte("xref\n0 6\n")) {
		t.Fatalf("no table at %d", at)
	}
	for i, row := range strings.Split(string(b[at:]), "\n")[3:8] {
		n, err := strconv.Atoi(row[:10])
		if err != nil || !bytes.HasPrefix(b[n:], []byte(strconv.Itoa(i+1)+" 0 obj")) {
			t.Errorf("object %d is not at %s", i+1, row)
		}
	}
}

// FuzzPage draws what makes no sense: nothing may panic.
func FuzzPage(f *testing.F) {
	for _, codes := range [][]string{{"2:1"}, twelveCodes()} {
		b, err := dicom.AppendEncode(nil, made(f, codes, asIs), "1.2.840.10008.1.2.1")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{})
		if err != nil {
			return
		}
		p, err := NewPage(ds)
		if err != nil {
			return
		}
		if err := p.WritePDF(&bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	})
}
