package compat

import (
	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

// What dcmcjpeg can do to pixels that is no matter of encoding.
const (
	asTheyAre = "pixels are encoded as they are stored; what a process cannot hold is refused"
	noWindow  = "pixels are encoded as they are stored, and the window stays in the data set"
	half      = "colours of lossy JPEG are YBR_FULL_422"
	oneCodec  = "JPEG is lossless in one way only, the true one"
)

func dcmcjpeg() *Program {
	o := &verb.Convert{Syntax: uid.JPEGLosslessSV1}
	return converter("dcmcjpeg", "encode DICOM file to JPEG transfer syntax", o,
		[]string{"dcmcjpeg image.dcm lossless.dcm", "dcmcjpeg +eb +q 80 image.dcm lossy.dcm", "dcmcjpeg -ot cine.dcm lossless.dcm"},
		input(o, append(readSyntax(o),
			Flag{Names: names("+Ma/--accept-acr-nema"), Refuse: "add Photometric Interpretation first"},
			Flag{Names: names("+Mp/--accept-palettes"), Refuse: "palettes stay as they are"})...),
		Group{"JPEG encoding options", jpegProcess(o)},
		Group{"Colours", append(jpegColours(), colours(&o.Partial)...)},
		Group{"Encapsulated pixel data encoding options", append(encapsulation(o), newUID(o, true)...)},
		Group{"Grey values", greyValues()},
		Group{"Output options", layout(o)})
}

func jpegProcess(o *verb.Convert) []Flag {
	return []Flag{
		{Names: names("+e1/--encode-lossless-sv1"), Help: "lossless, selection value 1 (default)", Same: true, Set: to(&o.Syntax, uid.JPEGLosslessSV1)},
		{Names: names("+el/--encode-lossless"), Help: "lossless, selection value 6", Set: to(&o.Syntax, uid.JPEGLossless)},
		{Names: names("+eb/--encode-baseline"), Help: "baseline, lossy", Set: to(&o.Syntax, uid.JPEGBaseline8Bit)},
		{Names: names("+ee/--encode-extended"), Help: "extended sequential, lossy", Set: to(&o.Syntax, uid.JPEGExtended12Bit)},
		{Names: names("+es/--encode-spectral"), Refuse: "retired (PS3.5 10.4): use +eb or +ee"},
		{Names: names("+ep/--encode-progressive"), Refuse: "retired (PS3.5 10.4): use +eb or +ee"},
		{Names: names("+tl/--true-lossless"), Always: oneCodec},
		{Names: names("+pl/--pseudo-lossless"), Refuse: oneCodec},
		{Names: names("+sv/--selection-value"), Params: names("1-7"), Refuse: "the selection value is 1 (+e1) or 6 (+el)"},
		{Names: names("+pt/--point-transform"), Params: names("0-15"), Refuse: "a point transform loses bits: +eb and +ee are lossy by design"},
		{Names: names("+q/--quality"), Params: names("1-100"), Help: "of lossy JPEG (default 90)", Set: number(&o.Quality, 1, 100)},
		{Names: names("+sm/--smooth"), Params: names("0-100"), Refuse: "pixels are not smoothed"},
		{Names: names("+ho/--huffman-optimize"), Always: "lossless streams have Huffman tables of their own, lossy ones the standard's"},
		{Names: names("-ho/--huffman-standard"), Refuse: "lossless streams have Huffman tables of their own, lossy ones the standard's"},
		{Names: names("+ba/--bits-auto"), Always: asTheyAre},
		{Names: names("+be/--bits-force-8"), Refuse: asTheyAre},
		{Names: names("+bt/--bits-force-12"), Refuse: asTheyAre},
		{Names: names("+bs/--bits-force-16"), Refuse: asTheyAre},
	}
}

func jpegColours() []Flag {
	return []Flag{
		{Names: names("+cy/--color-ybr"), Always: half},
		{Names: names("+cr/--color-rgb"), Refuse: half},
		{Names: names("+cm/--monochrome"), Refuse: half},
		{Names: names("+s2/--sample-422"), Always: half},
		{Names: names("+s4/--nonstd-444"), Refuse: half},
		{Names: names("+n2/--nonstd-422-full"), Refuse: half},
		{Names: names("+n1/--nonstd-411-full"), Refuse: half},
		{Names: names("+np/--nonstd-411"), Refuse: half},
	}
}

func greyValues() []Flag {
	return []Flag{
		{Names: names("-W/--no-windowing"), Always: noWindow},
		{Names: names("+Wi/--use-window"), Params: names("n"), Refuse: noWindow},
		{Names: names("+Wl/--use-voi-lut"), Params: names("n"), Refuse: noWindow},
		{Names: names("+Wm/--min-max-window"), Refuse: noWindow},
		{Names: names("+Wn/--min-max-window-n"), Refuse: noWindow},
		{Names: names("+Wr/--roi-min-max-window"), Params: names("left/top/width/height"), Refuse: noWindow},
		{Names: names("+Wh/--histogram-window"), Params: names("n"), Refuse: noWindow},
		{Names: names("+Ww/--set-window"), Params: names("center/width"), Refuse: noWindow},
		{Names: names("+sp/--scaling-pixel"), Always: asTheyAre},
		{Names: names("+sr/--scaling-range"), Refuse: asTheyAre},
		{Names: names("+ri/--rescale-identity"), Always: asTheyAre},
		{Names: names("+rm/--rescale-map"), Refuse: asTheyAre},
	}
}
