package compat

import (
	"errors"
	"fmt"
	"strings"

	"gantry/internal/cli/capture"
	"gantry/internal/cli/verb"
)

func img2dcm() *Program {
	o := &verb.Image{Overwrite: true, Only: capture.JPEG, Capture: capture.Options{Keep: true}}
	return &Program{
		Name: "img2dcm", DCMTK: true, Purpose: "convert standard image formats into DICOM format", Usage: "[options] imgfile-in... dcmfile-out",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			n := len(args)
			if n < 2 {
				return errors.New("an image file and an output are wanted")
			}
			o.Inputs, o.Output, o.Join = args[:n-1], args[n-1], true
			return nil
		},
		Groups: []Group{general(&o.Common), imageInput(o), imageProcessing(o), imageOutput(o)},
		Examples: []string{"img2dcm photo.jpg photo.dcm", "img2dcm -i BMP -stf study.dcm -k PatientComments=scanned scan.bmp scan.dcm",
			"img2dcm -nsc 1.jpg 2.jpg cine.dcm"},
		Exits: []Exit{
			{0, "the file was written", []verb.Outcome{verb.Done}},
			{1, "it was not, or wrong arguments", []verb.Outcome{verb.Usage, verb.NoInput, verb.Failed, verb.Partial, verb.Nothing, verb.Output, verb.Connect}},
		},
	}
}

func imageInput(o *verb.Image) Group {
	id, j := &o.Identity, &o.Capture.JPEG
	return Group{"Input options", []Flag{
		{Names: names("-i/--input-format"), Params: names("kind"), Help: "JPEG (default), BMP, PNG, TIFF, GIF, PDF or MP4", Set: kind(&o.Only)},
		{Names: names("-df/--dataset-from"), Params: names("file"), Help: "take the data set of a DICOM file", Set: text(&id.Template)},
		{Names: names("-dx/--dataset-from-xml"), Params: names("file"), Refuse: "make a DICOM file of the XML first (xml2dcm), and use -df"},
		{Names: names("-stf/--study-from"), Params: names("file"), Help: "take patient and study of a DICOM file", Set: text(&id.StudyFrom)},
		{Names: names("-sef/--series-from"), Params: names("file"), Help: "take patient, study and series of a DICOM file", Set: text(&id.SeriesFrom)},
		{Names: names("-ii/--instance-inc"), Help: "one more than the instance number of -sef", Set: to(&id.Next, true)},
		{Names: names("-dp/--disable-progr"), Help: "refuse progressive JPEG", Set: to(&j.NoProgressive, true)},
		{Names: names("-de/--disable-ext"), Help: "refuse extended sequential JPEG", Set: to(&j.NoExtended, true)},
		{Names: names("-jf/--insist-on-jfif"), Help: "refuse JPEG without a JFIF header", Set: to(&j.NeedJFIF, true)},
		{Names: names("-ka/--keep-appn"), Help: "keep application segments", Set: to(&j.KeepAPP, true)},
		{Names: names("-rc/--remove-com"), Help: "remove comments", Set: to(&j.DropComment, true)},
		{Names: names("+Vd/--validate-document"), Refuse: "XML is not read: see -dx"},
		{Names: names("+Vn/--check-namespace"), Refuse: "XML is not read: see -dx"},
	}}
}

// kind takes the name of a kind of file.
func kind(p *capture.Kind) func([]string) error {
	return func(v []string) error {
		for _, k := range []capture.Kind{capture.JPEG, capture.BMP, capture.PNG, capture.TIFF, capture.GIF, capture.PDF, capture.MP4} {
			if strings.EqualFold(v[0], string(k)) {
				*p = k
				return nil
			}
		}
		return fmt.Errorf("%q: want JPEG, BMP, PNG, TIFF, GIF, PDF or MP4", v[0])
	}
}

func imageProcessing(o *verb.Image) Group {
	const checked = "what the SOP class requires is always looked after; -i2 and -i1 fail where something is missing"
	return Group{"Processing options", []Flag{
		{Names: names("--do-checks"), Always: checked},
		{Names: names("--no-checks"), Refuse: checked},
		{Names: names("+i2/--insert-type2"), Help: "insert missing type 2 attributes (default)", Same: true, Set: to(&o.NoEmpty, false)},
		{Names: names("-i2/--no-type2-insert"), Help: "fail where they are missing", Set: to(&o.NoEmpty, true)},
		{Names: names("+i1/--invent-type1"), Help: "make up the UIDs of study and series where they are missing (default)", Same: true, Set: to(&o.NoMadeUp, false)},
		{Names: names("-i1/--no-type1-invent"), Help: "fail where they are missing", Set: to(&o.NoMadeUp, true)},
		{Names: names("-Ct/--transliterate"), Refuse: "the character set of the file that is read is kept"},
		{Names: names("-Cd/--discard-illegal"), Refuse: "the character set of the file that is read is kept"},
		{Names: names("-k/--key"), Params: names("key"), Help: "attribute to set: Keyword=value or gggg,eeee=value", Set: more(&o.Identity.Keys)},
	}}
}

func imageOutput(o *verb.Image) Group {
	const (
		fresh   = "there are no group lengths (retired, PS3.5 7.2) in what is written"
		lengths = "sequences have explicit lengths"
		padding = "nothing is padded"
	)
	class := &o.Capture.Class
	return Group{"Output options", []Flag{
		{Names: names("-sc/--sec-capture"), Help: "Secondary Capture (default)", Same: true, Set: to(class, capture.Single)},
		{Names: names("-nsc/--new-sc"), Help: "one of its multi-frame classes", Set: to(class, capture.Multi)},
		{Names: names("-vlp/--vl-photo"), Help: "VL Photographic", Set: to(class, capture.Photo)},
		{Names: names("-oph/--oph-photo"), Refuse: "an ophthalmic photograph tells of its device what no picture has: -vlp makes a VL Photographic object"},
		{Names: names("+F/--write-file"), Help: "write file meta information (default)", Same: true, Set: to(&o.Bare, false)},
		{Names: names("-F/--write-dataset"), Help: "write the data set alone", Set: to(&o.Bare, true)},
		{Names: names("+g=/--group-length-recalc"), Always: fresh},
		{Names: names("+g/--group-length-create"), Refuse: fresh},
		{Names: names("-g/--group-length-remove"), Always: fresh},
		{Names: names("+e/--length-explicit"), Always: lengths},
		{Names: names("-e/--length-undefined"), Refuse: lengths},
		{Names: names("-p/--padding-off"), Always: padding},
		{Names: names("+p/--padding-create"), Params: names("file/item"), Refuse: padding},
	}}
}
