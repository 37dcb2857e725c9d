// Package ecg draws electrocardiograms (PS3.3 A.34.3, A.34.4) as pages: 25 mm a second, 10 mm
// a millivolt, three rows of four leads and a rhythm strip, as a picture or as PDF.
package ecg

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// FormatError says what keeps a waveform from being drawn.
type FormatError string

func (e FormatError) Error() string { return "ecg: " + string(e) }

func wrong(format string, args ...any) error { return FormatError(fmt.Sprintf(format, args...)) }

// lead is one channel (PS3.3 C.10.9.1.4).
type lead struct {
	name string
	mv   []float64 // NaN where there is nothing
	skew float64   // s
}

// group is a multiplex group: channels sampled at the same time.
type group struct {
	rate  float64 // Hz
	leads []lead
}

const (
	maxChannels = 64
	maxBytes    = 64 << 20 // of samples that are read
	seconds     = 10       // that a page shows
)

// read returns the first original group with channels in volts.
func read(ds *dicom.DataSet) (*group, error) {
	n := ds.ItemCount(tag.WaveformSequence)
	if n == 0 {
		return nil, wrong("no waveform in the data set")
	}
	var first error
	for _, item := range ds.Items(tag.WaveformSequence) {
		g, err := readGroup(item)
		if err == nil {
			return g, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func readGroup(ds *dicom.DataSet) (*group, error) {
	channels, err := ds.Int(tag.NumberOfWaveformChannels)
	if err != nil {
		return nil, err
	}
	samples, err := ds.Int(tag.NumberOfWaveformSamples)
	if err != nil {
		return nil, err
	}
	rate, err := ds.Float(tag.SamplingFrequency)
	if err != nil {
		return nil, err
	}
	switch {
	case channels < 1 || channels > maxChannels:
		return nil, wrong("%d channels: 1 to %d are drawn", channels, maxChannels)
	case samples < 1 || !(rate > 0) || rate > 1e6:
		return nil, wrong("%d samples at %g Hz", samples, rate)
	case int64(ds.ItemCount(tag.ChannelDefinitionSequence)) < channels:
		return nil, wrong("%d of %d channels are defined", ds.ItemCount(tag.ChannelDefinitionSequence), channels)
	}
	if channels, err = counted(ds, channels, samples); err != nil {
		return nil, err
	}
	samples = min(samples, int64(math.Ceil(rate*seconds)))
	values, err := readSamples(ds, int(channels), samples)
	if err != nil {
		return nil, err
	}
	g := &group{rate: rate}
	for c := range int(channels) {
		definition, _ := ds.Item(tag.ChannelDefinitionSequence, c)
		l, ok, err := readLead(definition, rate)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		l.scale(values, c, int(channels))
		g.leads = append(g.leads, l.lead)
	}
	if len(g.leads) == 0 {
		return nil, wrong("no channel is measured in volts")
	}
	return g, nil
}

// counted is the number of channels that the data have. Some makers define more than they
// count; the length of the data tells who is right.
func counted(ds *dicom.DataSet, channels, samples int64) (int64, error) {
	defined := int64(ds.ItemCount(tag.ChannelDefinitionSequence))
	bits, err := ds.Int(tag.WaveformBitsAllocated)
	e, ok := ds.Get(tag.WaveformData)
	switch {
	case defined == channels || err != nil || !ok:
		return channels, err
	case defined <= maxChannels && samples <= math.MaxUint32 && e.Len() == (defined*samples*(bits&0x3F)/8+1)&^1:
		return defined, nil
	}
	return 0, wrong("%d channels are counted and %d defined: which of them the data have cannot be told", channels, defined)
}

// scaled is a lead with how its samples become millivolts.
type scaled struct {
	lead
	slope, baseline float64
}

// readLead reads a channel's definition. It is false for one that is not measured in volts.
func readLead(ds *dicom.DataSet, rate float64) (l scaled, ok bool, err error) {
	l.name = leadName(ds)
	units := 0.0
	if item, ok := ds.Item(tag.ChannelSensitivityUnitsSequence, 0); ok {
		units = map[string]float64{"uV": 1e-3, "mV": 1, "V": 1e3}[item.Text(tag.CodeValue)]
	}
	if units == 0 {
		return l, false, nil
	}
	number := func(t tag.Tag, def float64) float64 {
		e, has := ds.Get(t)
		if !has || e.Empty() || err != nil {
			return def
		}
		var v float64
		if v, err = e.Float(); math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1e12 {
			err = wrong("%v is %g", t, v)
		}
		return v
	}
	l.slope = number(tag.ChannelSensitivity, 1) * number(tag.ChannelSensitivityCorrectionFactor, 1) * units
	l.baseline = number(tag.ChannelBaseline, 0) * units
	l.skew = number(tag.ChannelTimeSkew, 0) + number(tag.ChannelSampleSkew, 0)/rate
	return l, true, err
}

// scale makes millivolts of every nth value from the cth on.
func (l *scaled) scale(values []float64, c, n int) {
	l.mv = make([]float64, 0, len(values)/n)
	for ; c < len(values); c += n {
		l.mv = append(l.mv, values[c]*l.slope+l.baseline)
	}
}

// readSamples reads the samples of all channels in turn (PS3.3 C.10.9.1.7); padding is NaN.
func readSamples(ds *dicom.DataSet, channels int, samples int64) ([]float64, error) {
	bits, err := ds.Int(tag.WaveformBitsAllocated)
	if err != nil {
		return nil, err
	}
	kind := ds.Text(tag.WaveformSampleInterpretation)
	signed := kind == "SB" || kind == "SS" || kind == "SL"
	if want := map[string]int64{"SB": 8, "UB": 8, "SS": 16, "US": 16, "SL": 32, "UL": 32}[kind]; want == 0 || want != bits {
		return nil, wrong("samples of kind %q with %d bits are not drawn", kind, bits)
	}
	size := int64(channels) * samples * bits / 8
	e, ok := ds.Get(tag.WaveformData)
	switch {
	case !ok || e.Len() < size:
		return nil, wrong("%d bytes of samples: %d channels of %d samples take %d", e.Len(), channels, samples, size)
	case size > maxBytes:
		return nil, wrong("%d bytes of samples in %d seconds: at most %d are drawn", size, seconds, maxBytes)
	}
	b := make([]byte, size)
	if n, err := e.Reader().ReadAt(b, 0); int64(n) < size {
		return nil, wrong("%d of %d bytes of samples could be read: %v", n, size, err)
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if e.BigEndian() && e.VR.Width() > 1 {
		order = binary.BigEndian
	}
	out := make([]float64, int64(channels)*samples)
	for i := range out {
		out[i] = sample(b[int64(i)*bits/8:], int(bits), signed, order)
	}
	if p, ok := ds.Get(tag.WaveformPaddingValue); ok && p.Len() >= bits/8 {
		pad := sample(p.Bytes(), int(bits), signed, order)
		for i, v := range out {
			if v == pad {
				out[i] = math.NaN()
			}
		}
	}
	return out, nil
}

func sample(b []byte, bits int, signed bool, order binary.ByteOrder) float64 {
	switch {
	case bits == 8 && signed:
		return float64(int8(b[0]))
	case bits == 8:
		return float64(b[0])
	case bits == 16 && signed:
		return float64(int16(order.Uint16(b)))
	case bits == 16:
		return float64(order.Uint16(b))
	case signed:
		return float64(int32(order.Uint32(b)))
	}
	return float64(order.Uint32(b))
}

// numbered are the leads that ISO/IEEE 11073-10102 and SCP-ECG number alike.
var numbered = map[string]string{"1": "I", "2": "II", "3": "V1", "4": "V2", "5": "V3", "6": "V4", "7": "V5", "8": "V6",
	"61": "III", "62": "aVR", "63": "aVL", "64": "aVF"}

// leadName is that of the source's code, else its meaning or label.
func leadName(ds *dicom.DataSet) string {
	if item, ok := ds.Item(tag.ChannelSourceSequence, 0); ok {
		code := item.Text(tag.CodeValue)
		for _, prefix := range []string{"5.6.3-9-", "2:"} {
			if n, ok := strings.CutPrefix(code, prefix); ok && numbered[n] != "" {
				return numbered[n]
			}
		}
		if s := strings.TrimSpace(strings.TrimPrefix(item.Text(tag.CodeMeaning), "Lead ")); s != "" {
			return s
		}
	}
	return ds.Text(tag.ChannelLabel)
}
