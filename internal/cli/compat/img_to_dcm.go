package compat

import (
	"errors"

	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

func imgToDcm() *Program {
	o := &verb.Image{Syntax: uid.ExplicitVRLittleEndian, Identity: verb.Identity{
		PatientName: "ANONYMOUS", StudyDescription: "Imported Image", SeriesDescription: "Secondary Capture", Modality: "OT"}}
	o.Form = verb.Described
	id := &o.Identity
	return &Program{
		Name: "img_to_dcm", Purpose: "make DICOM files of pictures, documents and video", Usage: "<input> <output> [options]",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if len(args) != 2 {
				return errors.New("an input and an output are wanted")
			}
			o.Inputs, o.Output = args[:1], args[1]
			return nil
		},
		Groups: []Group{
			{"Attributes", []Flag{
				{Names: names("--patient-name"), Params: names("name"), Help: "default ANONYMOUS", Set: text(&id.PatientName)},
				{Names: names("--patient-id"), Params: names("id"), Help: "one is made up without it", Set: text(&id.PatientID)},
				{Names: names("--study-description"), Params: names("text"), Help: "default Imported Image", Set: text(&id.StudyDescription)},
				{Names: names("--series-description"), Params: names("text"), Help: "default Secondary Capture", Set: text(&id.SeriesDescription)},
				{Names: names("--modality"), Params: names("modality"), Help: "of pictures (default OT)", Set: text(&id.Modality)},
			}},
			{"Transfer syntaxes", []Flag{
				{Names: names("--explicit"), Help: "Explicit VR Little Endian (default)", Same: true, Set: to(&o.Syntax, uid.ExplicitVRLittleEndian)},
				{Names: names("--implicit"), Help: "Implicit VR Little Endian", Set: to(&o.Syntax, uid.ImplicitVRLittleEndian)},
			}},
			{"Options", []Flag{
				{Names: names("-r/--recursive"), Help: "all files in a folder and the folders below", Set: to(&o.Recursive, true)},
				{Names: names("--overwrite"), Help: "replace files that are there already", Set: to(&o.Overwrite, true)},
				{Names: names("-v/--verbose"), Help: "say what is being done", Set: to(&o.Say, verb.Verbose)},
				{Names: names("-q/--quiet"), Help: "print no errors and no summary", Set: to(&o.Say, verb.Quiet)},
				help("-h/--help"),
			}},
		},
		Examples: []string{"img_to_dcm photo.jpg photo.dcm --patient-name Roe^Richard --patient-id 4711", "img_to_dcm -r scans study", "img_to_dcm report.pdf report.dcm"},
		Exits: []Exit{
			{0, "done", []verb.Outcome{verb.Done}},
			{1, "wrong arguments", []verb.Outcome{verb.Usage}},
			{2, "a file could not be taken", []verb.Outcome{verb.NoInput, verb.Failed, verb.Partial, verb.Nothing, verb.Output, verb.Connect}},
		},
	}
}
