package render

import (
	"fmt"
	"math"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// Window is a window of PS3.3 C.11.2.1.2. The units are those after the Modality LUT.
type Window struct {
	Center, Width float64
	Function      string // of VOI LUT Function: LINEAR, LINEAR_EXACT or SIGMOID; empty is LINEAR
}

// curve brings a value to 0, black, to 1, white.
type curve func(v float64) float64

// curve checks w and returns its function.
func (w Window) curve() (curve, error) {
	c, width := w.Center, w.Width
	if math.IsNaN(c) || math.IsInf(c, 0) || math.IsNaN(width) || math.IsInf(width, 0) {
		return nil, &dicom.ValueError{Tag: tag.WindowCenter, Reason: "center and width of a window must be numbers"}
	}
	least := math.SmallestNonzeroFloat64
	if w.Function == "" || w.Function == "LINEAR" {
		least = 1
	}
	if width < least {
		return nil, &dicom.ValueError{Tag: tag.WindowWidth, Reason: fmt.Sprintf("%g is too little: %s takes 1 and more, the other functions more than 0", width, orLinear(w.Function))}
	}
	switch w.Function {
	case "", "LINEAR":
		return ramp(c-0.5-(width-1)/2, c-0.5+(width-1)/2), nil
	case "LINEAR_EXACT":
		return ramp(c-width/2, c+width/2), nil
	case "SIGMOID":
		return func(v float64) float64 { return 1 / (1 + math.Exp(-4*(v-c)/width)) }, nil
	}
	return nil, &dicom.ValueError{Tag: tag.VOILUTFunction, Reason: fmt.Sprintf("%q is not LINEAR, LINEAR_EXACT or SIGMOID", w.Function)}
}

func orLinear(f string) string {
	if f == "" {
		return "LINEAR"
	}
	return f
}

// ramp is black up to low and white above high.
func ramp(low, high float64) curve {
	return func(v float64) float64 {
		switch {
		case v <= low:
			return 0
		case v > high:
			return 1
		}
		return (v - low) / (high - low)
	}
}

// storedWindow returns the first window of a frame, nil if it has none. Some makers write
// a width of 0 where they mean that.
func storedWindow(ds *dicom.DataSet) (*Window, error) {
	c, err := number(ds, tag.WindowCenter, math.NaN())
	if err != nil {
		return nil, err
	}
	w, err := number(ds, tag.WindowWidth, math.NaN())
	if err != nil {
		return nil, err
	}
	if math.IsNaN(c) || math.IsNaN(w) || w == 0 {
		return nil, nil
	}
	return &Window{c, w, ds.Text(tag.VOILUTFunction)}, nil
}
