package compat

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"

	"golang.org/x/image/draw"

	"gantry/dicom/uid"
	"gantry/internal/cli/imagefile"
	"gantry/internal/cli/verb"
	"gantry/pixel/render"
)

func dcm2pnm() *Program {
	return renderer("dcm2pnm", "convert DICOM images to PGM/PPM, PNG, TIFF or BMP", false)
}

func dcmj2pnm() *Program {
	return renderer("dcmj2pnm", "convert DICOM images to PGM/PPM, PNG, TIFF, JPEG or BMP", true)
}

func dcml2pnm() *Program {
	return renderer("dcml2pnm", "convert DICOM images to PGM/PPM, PNG, TIFF or BMP", false)
}

// renderer is one of DCMTK's programs that make pictures. They differ in what they decode,
// which here all do, and in JPEG files.
func renderer(name, purpose string, jpeg bool) *Program {
	o := &verb.Render{As: imagefile.PNM}
	p := &Program{
		Name: name, DCMTK: true, Purpose: purpose, Usage: "[options] dcmfile-in [bitmap-out]",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return errors.New("a DICOM file is wanted, and at most a picture")
			}
			if o.Input = args[0]; len(args) == 2 {
				o.Output = args[1]
			}
			return nil
		},
		Groups: []Group{general(&o.Common), renderInput(o), {"Frames", renderFrames(o)}, {"Geometry", renderGeometry(o)},
			{"Grey values", append(renderVOI(o), renderShapes(o)...)}, {"Overlays", renderOverlays(o)}, {"Display", renderDisplay()},
			{"Compatibility", renderCompatibility()}},
		Examples: []string{name + " image.dcm picture.pgm", name + " +on +Wi 1 ct.dcm ct.png", name + " +Fa +ob cine.dcm frame"},
		Exits: []Exit{
			{0, "the pictures were written", []verb.Outcome{verb.Done}},
			{1, "they were not, or wrong arguments", []verb.Outcome{verb.Usage, verb.NoInput, verb.Failed, verb.Partial, verb.Nothing, verb.Output, verb.Connect}},
		},
	}
	if jpeg {
		p.Groups = append(p.Groups, Group{"JPEG", renderJPEG(o)}, Group{"Colours", colours(&o.Partial)})
	}
	p.Groups = append(p.Groups, Group{"Files", renderFiles()}, Group{"Output options", renderOutput(o, jpeg)})
	return p
}

func renderInput(o *verb.Render) Group {
	return Group{"Input options", append(inputFormat(&o.OnlyFiles, false),
		Flag{Names: names("-t=/--read-xfer-auto"), Help: "use the file's transfer syntax (default)", Same: true, Set: to(&o.Read.Syntax, "")},
		Flag{Names: names("-td/--read-xfer-detect"), Always: "what the elements look like always overrules the header"},
		Flag{Names: names("-te/--read-xfer-little"), Help: "read with Explicit VR Little Endian", Set: to(&o.Read.Syntax, uid.ExplicitVRLittleEndian)},
		Flag{Names: names("-tb/--read-xfer-big"), Help: "read with Explicit VR Big Endian", Set: to(&o.Read.Syntax, uid.ExplicitVRBigEndian)},
		Flag{Names: names("-ti/--read-xfer-implicit"), Help: "read with Implicit VR Little Endian", Set: to(&o.Read.Syntax, uid.ImplicitVRLittleEndian)})}
}

func renderFrames(o *verb.Render) []Flag {
	return []Flag{
		{Names: names("+F/--frame"), Params: names("n"), Help: "one frame, counted from 1 (default 1)", Set: number(&o.First, 1, math.MaxInt32)},
		{Names: names("+Fr/--frame-range"), Params: names("n/count"), Help: "some frames from the nth on, each a file",
			Set: func(v []string) error {
				return errors.Join(number(&o.First, 1, math.MaxInt32)(v[:1]), number(&o.Count, 1, math.MaxInt32)(v[1:]))
			}},
		{Names: names("+Fa/--all-frames"), Help: "all frames, each a file", Set: both(to(&o.First, 1), to(&o.Count, verb.AllOfThem))},
		{Names: names("+Fc/--use-frame-counter"), Help: "number the files from 0 (default)", Same: true, Set: to(&o.Absolute, false)},
		{Names: names("+Fn/--use-frame-number"), Help: "number the files as the frames are", Set: to(&o.Absolute, true)},
	}
}

func renderGeometry(o *verb.Render) []Flag {
	s := &o.Scale
	return []Flag{
		{Names: names("+Rl/--rotate-left"), Help: "turn left", Set: to(&o.Quarters, 3)},
		{Names: names("+Rr/--rotate-right"), Help: "turn right", Set: to(&o.Quarters, 1)},
		{Names: names("+Rtd/--rotate-top-down"), Help: "turn upside down", Set: to(&o.Quarters, 2)},
		{Names: names("+Lh/--flip-horizontally"), Help: "swap left and right", Set: to(&o.Across, true)},
		{Names: names("+Lv/--flip-vertically"), Help: "swap top and bottom", Set: to(&o.Down, true)},
		{Names: names("+Lhv/--flip-both-axes"), Help: "swap both", Set: both(to(&o.Across, true), to(&o.Down, true))},
		{Names: names("+a/--recognize-aspect"), Help: "make pixels square when scaling (default)", Same: true, Set: to(&s.NoAspect, false)},
		{Names: names("-a/--ignore-aspect"), Help: "take pixels for squares", Set: to(&s.NoAspect, true)},
		{Names: names("+i/--interpolate"), Params: names("1-4"), Help: "1 and 2 the mean of what a pixel covers, 3 bilinear, 4 bicubic (default: 1)", Set: interpolation(o)},
		{Names: names("-i/--no-interpolation"), Help: "take the mean of what a pixel covers (default)", Same: true, Set: to(&s.Kernel, nil)},
		{Names: names("-S/--no-scaling"), Help: "leave the size alone (default)", Same: true, Set: to(s, verb.Scaling{})},
		{Names: names("+Sxf/--scale-x-factor"), Params: names("factor"), Help: "scale x by a factor, and y as it follows", Set: positive(&s.X)},
		{Names: names("+Syf/--scale-y-factor"), Params: names("factor"), Help: "scale y by a factor, and x as it follows", Set: positive(&s.Y)},
		{Names: names("+Sxv/--scale-x-size"), Params: names("n"), Help: "scale x to n pixels, and y as it follows", Set: number(&s.Width, 1, 65535)},
		{Names: names("+Syv/--scale-y-size"), Params: names("n"), Help: "scale y to n pixels, and x as it follows", Set: number(&s.Height, 1, 65535)},
		{Names: names("+C/--clip-region"), Params: names("left/top/width/height"), Help: "cut this region out", Set: region(&o.Clip)},
	}
}

// interpolation takes the number of one of DCMTK's algorithms.
func interpolation(o *verb.Render) func([]string) error {
	return func(v []string) error {
		switch v[0] {
		case "1", "2":
			o.Scale.Kernel = nil
		case "3":
			o.Scale.Kernel = draw.BiLinear
		case "4":
			o.Scale.Kernel = draw.CatmullRom
		default:
			return fmt.Errorf("%q: want 1 to 4", v[0])
		}
		return nil
	}
}

// positive takes a factor.
func positive(p *float64) func([]string) error {
	return func(v []string) error {
		f, err := strconv.ParseFloat(v[0], 64)
		if err != nil || !(f > 0 && f < 1e5) {
			return fmt.Errorf("%q: want a number above 0", v[0])
		}
		*p = f
		return nil
	}
}

// region takes left, top, width and height.
func region(p *image.Rectangle) func([]string) error {
	return func(v []string) error {
		var n [4]int
		for i, low := range []int64{-65535, -65535, 1, 1} {
			if err := number(&n[i], low, 65535)(v[i : i+1]); err != nil {
				return err
			}
		}
		*p = image.Rect(n[0], n[1], n[0]+n[2], n[1]+n[3])
		return nil
	}
}

func renderVOI(o *verb.Render) []Flag {
	v := &o.VOI
	nth := func(k verb.VOIKind) func([]string) error { return both(to(&v.Kind, k), number(&v.N, 1, 65535)) }
	return []Flag{
		{Names: names("-M/--no-modality"), Help: "ignore the modality LUT", Set: to(&o.NoModality, true)},
		{Names: names("+M/--use-modality"), Help: "use the modality LUT (default)", Same: true, Set: to(&o.NoModality, false)},
		{Names: names("-W/--no-windowing"), Help: "show all values that samples can have (default)", Same: true, Set: to(&v.Kind, verb.WholeRange)},
		{Names: names("+Wi/--use-window"), Params: names("n"), Help: "the nth window of the file", Set: nth(verb.StoredWindow)},
		{Names: names("+Wl/--use-voi-lut"), Params: names("n"), Help: "the nth VOI LUT of the file", Set: nth(verb.StoredTable)},
		{Names: names("+Wm/--min-max-window"), Help: "from the least to the greatest value", Set: to(&v.Kind, verb.MinMax)},
		{Names: names("+Wn/--min-max-window-n"), Help: "the same without those two", Set: to(&v.Kind, verb.InnerMinMax)},
		{Names: names("+Wr/--roi-min-max-window"), Params: names("left/top/width/height"), Help: "from the least to the greatest value of a region",
			Set: both(to(&v.Kind, verb.ROI), region(&v.Region))},
		{Names: names("+Wh/--histogram-window"), Params: names("n"), Help: "leave out n percent of the pixels at each end", Set: both(to(&v.Kind, verb.Histogram), number(&v.N, 0, 49))},
		{Names: names("+Ww/--set-window"), Params: []string{"center", "width"}, Help: "this window", Set: givenWindow(v)},
		{Names: names("+Wfl/--linear-function"), Help: "windows are linear", Set: to(&v.Function, "LINEAR")},
		{Names: names("+Wfs/--sigmoid-function"), Help: "windows are sigmoid", Set: to(&v.Function, "SIGMOID")},
	}
}

func givenWindow(v *verb.VOI) func([]string) error {
	return func(s []string) error {
		var o verb.Pictures
		if err := setWindow(&o)(s); err != nil {
			return err
		}
		v.Kind, v.Window = verb.Given, *o.Window
		return nil
	}
}

func renderShapes(o *verb.Render) []Flag {
	return []Flag{
		{Names: names("+Pid/--identity-shape"), Help: "presentation LUT shape IDENTITY", Set: to(&o.Shape, render.Identity)},
		{Names: names("+Piv/--inverse-shape"), Help: "presentation LUT shape INVERSE", Set: to(&o.Shape, render.Inverse)},
		{Names: names("+Pod/--lin-od-shape"), Help: "presentation LUT shape LIN OD", Set: to(&o.Shape, render.LinOD)},
		{Names: names("+G/--grayscale"), Help: "take the colours out", Set: to(&o.Grey, true)},
		{Names: names("+P/--change-polarity"), Help: "swap black and white", Set: to(&o.Invert, true)},
	}
}

func renderOverlays(o *verb.Render) []Flag {
	const mode = "graphics replace pixels, and outside of a region of interest little light is left"
	return []Flag{
		{Names: names("-O/--no-overlays"), Help: "draw no overlays", Set: to(&o.Overlays.Off, true)},
		{Names: names("+O/--display-overlay"), Params: names("0-16"), Help: "draw overlay n, of 0 all (default 0)", Set: overlay(&o.Overlays)},
		{Names: names("+Omr/--ovl-replace"), Refuse: mode},
		{Names: names("+Omt/--ovl-threshold"), Refuse: mode},
		{Names: names("+Omc/--ovl-complement"), Refuse: mode},
		{Names: names("+Omv/--ovl-invert"), Refuse: mode},
		{Names: names("+Omi/--ovl-roi"), Refuse: mode},
		{Names: names("+Osf/--set-foreground"), Params: names("density"), Help: "how bright graphics are, 0 to 1 (default 1)", Set: func(v []string) error {
			f, err := strconv.ParseFloat(v[0], 64)
			if err != nil || !(f >= 0 && f <= 1) {
				return fmt.Errorf("%q: want 0 to 1", v[0])
			}
			o.Overlays.Ink = color.Gray16{Y: uint16(f*0xFFFF + 0.5)}
			return nil
		}},
		{Names: names("+Ost/--set-threshold"), Params: names("density"), Refuse: mode},
	}
}

// overlay takes the number of an overlay plane.
func overlay(o *render.Overlays) func([]string) error {
	return func(v []string) error {
		var n int
		if err := number(&n, 0, 16)(v); err != nil {
			return err
		}
		if o.Off = false; n > 0 {
			o.Groups = append(o.Groups, uint16(0x6000+2*(n-1)))
		}
		return nil
	}
}

func renderDisplay() []Flag {
	const calibrated = "pictures are P-Values (PS3.14): the display's own calibration makes them right"
	return []Flag{
		{Names: names("+Dm/--monitor-file"), Params: names("file"), Refuse: calibrated},
		{Names: names("+Dp/--printer-file"), Params: names("file"), Refuse: calibrated},
		{Names: names("+Da/--ambient-light"), Params: names("light"), Refuse: calibrated},
		{Names: names("+Di/--illumination"), Params: names("light"), Refuse: calibrated},
		{Names: names("+Dn/--min-density"), Params: names("density"), Refuse: calibrated},
		{Names: names("+Dx/--max-density"), Params: names("density"), Refuse: calibrated},
		{Names: names("+Dg/--gsd-function"), Refuse: calibrated},
		{Names: names("+Dc/--cielab-function"), Refuse: calibrated},
	}
}

func renderCompatibility() []Flag {
	const depth = "the third value of a LUT descriptor is taken at its word"
	return []Flag{
		{Names: names("+Ma/--accept-acr-nema"), Refuse: "add Photometric Interpretation first"},
		{Names: names("+Mp/--accept-palettes"), Refuse: "give the palette the tags of PS3.3 C.7.9 first"},
		{Names: names("+Mc/--check-lut-depth"), Refuse: depth},
		{Names: names("+Mm/--ignore-mlut-depth"), Refuse: depth},
		{Names: names("+Mv/--ignore-vlut-depth"), Refuse: depth},
	}
}

func renderJPEG(o *verb.Render) []Flag {
	o.Coding.Quality, o.Coding.Halved = 90, true
	return []Flag{
		{Names: names("+Jq/--compr-quality"), Params: names("1-100"), Help: "of JPEG (default 90)", Set: number(&o.Coding.Quality, 1, 100)},
		{Names: names("+Js4/--sample-444"), Help: "all samples of colours", Set: to(&o.Coding.Halved, false)},
		{Names: names("+Js2/--sample-422"), Help: "half the samples of colours across (default)", Same: true, Set: to(&o.Coding.Halved, true)},
		{Names: names("+Js1/--sample-411"), Refuse: "colours have all their samples (+Js4), or half of them across (+Js2)"},
	}
}

func renderFiles() []Flag {
	const (
		strips = "TIFF files are not compressed"
		plain  = "PNG files are not interlaced, and hold the picture alone"
	)
	return []Flag{
		{Names: names("+Tl/--compr-lzw"), Refuse: strips},
		{Names: names("+Tr/--compr-rle"), Refuse: strips},
		{Names: names("+Tn/--compr-none"), Always: strips},
		{Names: names("+Pd/--predictor-default"), Always: strips},
		{Names: names("+Pn/--predictor-none"), Always: strips},
		{Names: names("+Ph/--predictor-horz"), Refuse: strips},
		{Names: names("+Rs/--rows-per-strip"), Params: names("n"), Refuse: "the picture is one strip"},
		{Names: names("+il/--interlace"), Refuse: plain},
		{Names: names("-il/--nointerlace"), Always: plain},
		{Names: names("+mf/--meta-file"), Refuse: plain},
		{Names: names("-mf/--meta-none"), Always: plain},
	}
}

func renderOutput(o *verb.Render, jpeg bool) []Flag {
	as := func(f imagefile.Format, bits int) func([]string) error {
		return both(to(&o.As, f), to(&o.Coding.Bits, bits))
	}
	out := []Flag{
		{Names: names("-im/--image-info"), Help: "say what the image is (with -v)", Set: to(&o.Describe, true)},
		{Names: names("-o/--no-output"), Help: "write no picture", Set: to(&o.NoOutput, true)},
		{Names: names("+op/--write-raw-pnm"), Help: "8-bit binary PGM or PPM (default)", Same: true, Set: as(imagefile.PNM, 0)},
		{Names: names("+opb/--write-8-bit-pnm"), Help: "8-bit PGM or PPM as text", Set: as(imagefile.PlainPNM, 8)},
		{Names: names("+opw/--write-16-bit-pnm"), Help: "16-bit PGM or PPM as text", Set: as(imagefile.PlainPNM, 16)},
		{Names: names("+opn/--write-n-bit-pnm"), Params: names("1-32"), Help: "n-bit PGM or PPM as text", Set: both(to(&o.As, imagefile.PlainPNM), number(&o.Coding.Bits, 1, 32))},
		{Names: names("+ob/--write-bmp"), Help: "BMP of 8 bits with greys, of 24 with colours", Set: as(imagefile.BMP, 0)},
		{Names: names("+obp/--write-8-bit-bmp"), Help: "the same, of greys", Set: both(as(imagefile.BMP, 0), to(&o.Grey, true))},
		{Names: names("+obt/--write-24-bit-bmp"), Help: "BMP of 24 bits", Set: as(imagefile.BMP24, 0)},
		{Names: names("+obr/--write-32-bit-bmp"), Help: "BMP of 32 bits", Set: as(imagefile.BMP32, 0)},
		{Names: names("+ot/--write-tiff"), Help: "TIFF", Set: as(imagefile.TIFF, 0)},
		{Names: names("+on/--write-png"), Help: "PNG of 8 bits a sample", Set: as(imagefile.PNG, 8)},
		{Names: names("+on2/--write-16-bit-png"), Help: "PNG of 16 bits for greys", Set: as(imagefile.PNG, 16)},
	}
	if jpeg {
		out = append(out, Flag{Names: names("+oj/--write-jpeg"), Help: "JPEG of 8 bits, lossy", Set: as(imagefile.JPEG, 0)})
	}
	return out
}
