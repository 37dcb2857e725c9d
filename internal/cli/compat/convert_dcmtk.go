package compat

import (
	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

// converter is one of DCMTK's programs that write a file in another transfer syntax. All of
// them replace a file that is there.
func converter(name, purpose string, o *verb.Convert, examples []string, groups ...Group) *Program {
	o.Overwrite = true
	return &Program{
		Name: name, DCMTK: true, Purpose: purpose, Usage: "[options] dcmfile-in dcmfile-out",
		Options: o, Run: o.Run, Args: inputOutput(o),
		Groups:   append([]Group{general(&o.Common)}, groups...),
		Examples: examples,
		Exits: []Exit{
			{0, "the file was written", []verb.Outcome{verb.Done}},
			{1, "it was not, or wrong arguments", []verb.Outcome{verb.Partial, verb.Failed, verb.Nothing, verb.Output, verb.Usage, verb.NoInput, verb.Connect}},
		},
	}
}

// readSyntax are the choices of the input's transfer syntax.
func readSyntax(o *verb.Convert) []Flag {
	return []Flag{
		{Names: names("-t=/--read-xfer-auto"), Help: "use the file's transfer syntax (default)", Same: true, Set: to(&o.Read.Syntax, "")},
		{Names: names("-td/--read-xfer-detect"), Always: "what the elements look like always overrules the header"},
		{Names: names("-te/--read-xfer-little"), Help: "read with Explicit VR Little Endian", Set: to(&o.Read.Syntax, uid.ExplicitVRLittleEndian)},
		{Names: names("-tb/--read-xfer-big"), Help: "read with Explicit VR Big Endian", Set: to(&o.Read.Syntax, uid.ExplicitVRBigEndian)},
		{Names: names("-ti/--read-xfer-implicit"), Help: "read with Implicit VR Little Endian", Set: to(&o.Read.Syntax, uid.ImplicitVRLittleEndian)},
	}
}

// writeFormat says whether file meta information is written.
func writeFormat(o *verb.Convert) []Flag {
	return []Flag{
		{Names: names("+F/--write-file"), Help: "write file meta information (default)", Same: true, Set: to(&o.Bare, false)},
		{Names: names("-F/--write-dataset"), Help: "write the data set alone", Set: to(&o.Bare, true)},
	}
}

// writeSyntax are the uncompressed targets.
func writeSyntax(o *verb.Convert, same bool) []Flag {
	return []Flag{
		{Names: names("+te/--write-xfer-little"), Help: "write Explicit VR Little Endian", Same: same, Set: to(&o.Syntax, uid.ExplicitVRLittleEndian)},
		{Names: names("+tb/--write-xfer-big"), Help: "write Explicit VR Big Endian", Set: to(&o.Syntax, uid.ExplicitVRBigEndian)},
		{Names: names("+ti/--write-xfer-implicit"), Help: "write Implicit VR Little Endian", Set: to(&o.Syntax, uid.ImplicitVRLittleEndian)},
	}
}

const lengths = "each sequence keeps the kind of length that it has"

// layout is what all of them can do to the elements.
func layout(o *verb.Convert) []Flag {
	return []Flag{
		{Names: names("+u/--enable-new-vr"), Always: "every VR is written as it is"},
		{Names: names("-u/--disable-new-vr"), Refuse: "every VR is written as it is"},
		{Names: names("+g=/--group-length-recalc"), Always: "group lengths (retired) are left out of what is laid out anew, and are right in what is copied"},
		{Names: names("+g/--group-length-create"), Refuse: "group lengths are retired (PS3.5 7.2): nothing needs them"},
		{Names: names("-g/--group-length-remove"), Help: "leave group lengths out", Set: to(&o.NoGroupLength, true)},
		{Names: names("+e/--length-explicit"), Refuse: lengths},
		{Names: names("-e/--length-undefined"), Refuse: lengths},
		{Names: names("-p=/--padding-retain"), Help: "keep the data set's padding (default)", Same: true, Set: to(&o.NoPadding, false)},
		{Names: names("-p/--padding-off"), Help: "leave the data set's padding out", Set: to(&o.NoPadding, true)},
		{Names: names("+p/--padding-create"), Params: names("file/item"), Refuse: "padding tells nothing: leave it out"},
	}
}

// newUID are the choices of the SOP Instance UID. lossy is false for who keeps it unless
// told.
func newUID(o *verb.Convert, lossy bool) []Flag {
	out := []Flag{
		{Names: names("+ud/--uid-default"), Help: "a new SOP Instance UID for what has lost information (default)", Same: true, Set: to(&o.NewUIDs, verb.WhenLossy)},
		{Names: names("+ua/--uid-always"), Help: "always a new one", Set: to(&o.NewUIDs, verb.Always)},
	}
	if lossy {
		return append(out, Flag{Names: names("+un/--uid-never"), Help: "never a new one, against PS3.3 C.7.6.1.1.5", Set: to(&o.NewUIDs, verb.Never)})
	}
	out[0].Help = "keep the SOP Instance UID (default)"
	return out
}

// encapsulation is how frames are put into fragments.
func encapsulation(o *verb.Convert) []Flag {
	return []Flag{
		{Names: names("+ff/--fragment-per-frame"), Always: "each frame is one fragment"},
		{Names: names("+fs/--fragment-size"), Params: names("kbytes"), Refuse: "each frame is one fragment"},
		{Names: names("+ot/--offset-table-create"), Help: "write an offset table (default)", Same: true, Set: to(&o.EmptyOffsets, false)},
		{Names: names("-ot/--offset-table-empty"), Help: "leave the offset table empty", Set: to(&o.EmptyOffsets, true)},
		{Names: names("+cd/--class-default"), Always: "the SOP Class UID is kept"},
		{Names: names("+cs/--class-sc"), Refuse: "the SOP Class UID is kept: an object of another class wants other attributes too"},
	}
}

// input is the group that all of them begin with.
func input(o *verb.Convert, more ...Flag) Group {
	return Group{"Input options", append(inputFormat(&o.OnlyFiles, false), more...)}
}

// decoder is one of those that decompress; processing are its own options.
func decoder(name, of string, processing func(o *verb.Convert) []Flag) *Program {
	o := &verb.Convert{Syntax: uid.ExplicitVRLittleEndian}
	return converter(name, "decode "+of+" compressed DICOM file", o,
		[]string{name + " image.dcm plain.dcm", name + " +ti image.dcm plain.dcm", name + " -F +tb image.dcm plain.bin"},
		input(o), Group{"Processing options", append(newUID(o, false), processing(o)...)},
		Group{"Output options", append(append(writeFormat(o), writeSyntax(o, true)...), layout(o)...)})
}

const byPixel = "colours are stored by pixel"

// planar are the choices of Planar Configuration.
func planar(more ...Flag) []Flag {
	return append(more,
		Flag{Names: names("+pa/--planar-auto"), Refuse: byPixel + " (+px)"},
		Flag{Names: names("+px/--color-by-pixel"), Always: byPixel},
		Flag{Names: names("+pl/--color-by-plane"), Refuse: byPixel + " (+px)"})
}

func incomplete(partial *bool) Flag {
	return Flag{Names: names("+wi/--workaround-incpl"), Help: "take what can be decoded of damaged frames", Set: to(partial, true)}
}

// colours are what becomes of colours that are decoded, and of damaged frames.
func colours(partial *bool) []Flag {
	const rgb = "colours of lossy JPEG become RGB, all others stay as they are"
	return []Flag{
		{Names: names("+cp/--conv-photometric"), Always: rgb},
		{Names: names("+cl/--conv-lossy"), Always: rgb},
		{Names: names("+cg/--conv-guess"), Refuse: rgb},
		{Names: names("+cgl/--conv-guess-lossy"), Refuse: rgb},
		{Names: names("+ca/--conv-always"), Refuse: rgb},
		{Names: names("+cn/--conv-never"), Refuse: rgb},
		{Names: names("+w6/--workaround-pred6"), Refuse: "the stream is read as the standard has it"},
		incomplete(partial),
		{Names: names("+wc/--workaround-cornell"), Refuse: "the stream is read as the standard has it"},
	}
}

func dcmdjpeg() *Program {
	return decoder("dcmdjpeg", "JPEG", func(o *verb.Convert) []Flag { return planar(colours(&o.Partial)...) })
}

func dcmdjpls() *Program {
	return decoder("dcmdjpls", "JPEG-LS", func(o *verb.Convert) []Flag {
		return planar(Flag{Names: names("+pr/--planar-restore"), Refuse: byPixel + " (+px)"}, incomplete(&o.Partial),
			Flag{Names: names("+io/--ignore-offsettable"), Always: "an offset table that does not fit the frames is not used"})
	})
}

func dcmdrle() *Program {
	return decoder("dcmdrle", "RLE", func(*verb.Convert) []Flag {
		return []Flag{
			{Names: names("+bd/--byte-order-default"), Always: "the most significant byte comes first (PS3.5 G.2)"},
			{Names: names("+br/--byte-order-reverse"), Refuse: "such a stream is not DICOM (PS3.5 G.2)"},
		}
	})
}

func dcmcrle() *Program {
	o := &verb.Convert{Syntax: uid.RLELossless, NewUIDs: verb.Never}
	return converter("dcmcrle", "encode DICOM file to RLE transfer syntax", o,
		[]string{"dcmcrle image.dcm rle.dcm", "dcmcrle -ot cine.dcm rle.dcm", "dcmcrle +ua image.dcm rle.dcm"},
		input(o, readSyntax(o)...),
		Group{"Encapsulated pixel data encoding options", append(encapsulation(o),
			Flag{Names: names("+un/--uid-never"), Help: "keep the SOP Instance UID (default)", Same: true, Set: to(&o.NewUIDs, verb.Never)},
			Flag{Names: names("+ua/--uid-always"), Help: "a new SOP Instance UID", Set: to(&o.NewUIDs, verb.Always)})},
		Group{"Output options", layout(o)})
}

func dcmcjpls() *Program {
	o := &verb.Convert{Syntax: uid.JPEGLSLossless}
	const usual = "the standard's own parameters are used (ISO 14495-1 C.2.4.1.1)"
	return converter("dcmcjpls", "encode DICOM file to JPEG-LS transfer syntax", o,
		[]string{"dcmcjpls image.dcm jls.dcm", "dcmcjpls +en +md 3 image.dcm near.dcm", "dcmcjpls -ot cine.dcm jls.dcm"},
		input(o, readSyntax(o)...),
		Group{"JPEG-LS encoding options", []Flag{
			{Names: names("+el/--encode-lossless"), Help: "encode without loss (default)", Same: true, Set: to(&o.Syntax, uid.JPEGLSLossless)},
			{Names: names("+en/--encode-nearlossless"), Help: "encode near-lossless", Set: to(&o.Syntax, uid.JPEGLSNearLossless)},
			{Names: names("+md/--max-deviation"), Params: names("d"), Help: "how far a sample may be off, near-lossless (default 2)", Set: number(&o.Near, 1, 255)},
			{Names: names("+pr/--prefer-raw"), Always: "samples are encoded as they are stored"},
			{Names: names("+pc/--prefer-cooked"), Refuse: "samples are encoded as they are stored"},
			{Names: names("+t1/--threshold1"), Params: names("t"), Refuse: usual},
			{Names: names("+t2/--threshold2"), Params: names("t"), Refuse: usual},
			{Names: names("+t3/--threshold3"), Params: names("t"), Refuse: usual},
			{Names: names("+rs/--reset"), Params: names("r"), Refuse: usual},
			{Names: names("+il/--interleave-line"), Always: "colours are interleaved by line"},
			{Names: names("+is/--interleave-sample"), Refuse: "colours are interleaved by line"},
			{Names: names("+in/--interleave-none"), Refuse: "colours are interleaved by line"},
			{Names: names("+iv/--interleave-default"), Always: "colours are interleaved by line"},
			{Names: names("+ps/--padding-standard"), Refuse: "a fragment of odd length is padded with a zero byte (PS3.5 A.4)"},
			{Names: names("+pz/--padding-zero"), Always: "a fragment of odd length is padded with a zero byte (PS3.5 A.4)"},
		}},
		Group{"Encapsulated pixel data encoding options", append(encapsulation(o), newUID(o, true)...)},
		Group{"Output options", layout(o)})
}
