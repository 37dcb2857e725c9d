package compat

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"gantry/internal/cli/verb"
	"gantry/pixel/render"
)

func dcmExtract() *Program {
	o := &verb.Pictures{Frame: verb.AllFrames}
	o.Form = verb.Described
	o.NoOverlays, o.NoShutter = true, true // the program draws pixels alone
	return &Program{
		Name: "dcm_extract", Purpose: "write the frames of DICOM files as samples or pictures", Usage: "<input> [output] [options]",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return errors.New("an input is wanted, and at most an output")
			}
			if o.Input = args[0]; len(args) == 2 {
				o.Output = args[1]
			}
			return nil
		},
		Groups: []Group{
			{"Formats", []Flag{
				{Names: names("--raw"), Help: "decoded samples, little endian (default)", Set: to(&o.As, "raw")},
				{Names: names("--jpeg"), Help: "JPEG, 8 bits", Set: to(&o.As, "jpeg")},
				{Names: names("--png"), Help: "PNG, of 16 bits where greys have more than 8", Set: to(&o.As, "png")},
				{Names: names("--ppm"), Help: "PPM, or PGM where there are only greys", Set: to(&o.As, "ppm")},
				{Names: names("-q/--quality"), Params: names("1-100"), Help: "of JPEG (default 90)", Set: number(&o.Quality, 1, 100)},
			}},
			{"Options", []Flag{
				{Names: names("--frame"), Params: names("n"), Help: "one frame, counted from 0", Set: number(&o.Frame, 0, math.MaxInt32)},
				{Names: names("--all-frames"), Help: "every frame (default)", Same: true, Set: to(&o.Frame, verb.AllFrames)},
				{Names: names("--window"), Params: []string{"center", "width"}, Help: "in place of the window of the file", Set: setWindow(o)},
				{Names: names("-r/--recursive"), Help: "all files in a folder and the folders below", Set: to(&o.Recursive, true)},
				{Names: names("--overwrite"), Help: "replace files that are there already", Set: to(&o.Overwrite, true)},
				{Names: names("-v/--verbose"), Help: "say what is being done", Set: to(&o.Say, verb.Verbose)},
				{Names: names("--quiet"), Help: "print no errors and no summary", Set: to(&o.Say, verb.Quiet)},
				{Names: names("--info"), Help: "print what the image is, and write nothing", Set: to(&o.Describe, true)},
				help("-h/--help"),
			}},
		},
		Examples: []string{"dcm_extract image.dcm image.raw", "dcm_extract ct.dcm ct.png --png --window 40 400", "dcm_extract -r study pictures --jpeg -q 80"},
		Exits: []Exit{
			{0, "done", []verb.Outcome{verb.Done}},
			{1, "wrong arguments", []verb.Outcome{verb.Usage}},
			{2, "a file could not be extracted", []verb.Outcome{verb.NoInput, verb.Failed, verb.Partial, verb.Nothing, verb.Output, verb.Connect}},
		},
	}
}

// setWindow takes center and width.
func setWindow(o *verb.Pictures) func([]string) error {
	return func(v []string) error {
		c, err := strconv.ParseFloat(v[0], 64)
		if err != nil || math.IsNaN(c) || math.IsInf(c, 0) {
			return fmt.Errorf("%q: want a number", v[0])
		}
		w, err := strconv.ParseFloat(v[1], 64)
		if err != nil || !(w >= 1) || math.IsInf(w, 0) {
			return fmt.Errorf("%q: want a number of 1 or more", v[1])
		}
		o.Window = &render.Window{Center: c, Width: w}
		return nil
	}
}
