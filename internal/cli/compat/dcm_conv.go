package compat

import (
	"errors"

	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
	"gantry/internal/config"
)

func dcmConv() *Program {
	o := &verb.Convert{Syntax: uid.ExplicitVRLittleEndian}
	o.Form = verb.Described
	target := func(name, help string, u uid.UID) Flag {
		return Flag{Names: names(name), Help: help, Same: u == uid.ExplicitVRLittleEndian, Set: to(&o.Syntax, u)}
	}
	return &Program{
		Name: "dcm_conv", Purpose: "write DICOM files in another transfer syntax", Usage: "<input> <output> [options]",
		Options: o, Run: o.Run, Args: inputOutput(o),
		Groups: []Group{
			{"Transfer syntaxes", []Flag{
				target("--implicit", "Implicit VR Little Endian", uid.ImplicitVRLittleEndian),
				target("--explicit", "Explicit VR Little Endian (default)", uid.ExplicitVRLittleEndian),
				target("--explicit-be", "Explicit VR Big Endian (retired)", uid.ExplicitVRBigEndian),
				target("--jpeg-baseline", "JPEG Baseline, lossy", uid.JPEGBaseline8Bit),
				target("--jpeg-lossless", "JPEG Lossless, first-order prediction", uid.JPEGLosslessSV1),
				target("--jpeg2000", "JPEG 2000, lossless", uid.JPEG2000Lossless),
				target("--jpeg2000-lossy", "JPEG 2000, lossy", uid.JPEG2000),
				target("--htj2k", "High-Throughput JPEG 2000, lossless", uid.HTJ2KLossless),
				target("--htj2k-rpcl", "High-Throughput JPEG 2000, lossless, RPCL", uid.HTJ2KLosslessRPCL),
				target("--htj2k-lossy", "High-Throughput JPEG 2000, lossy", uid.HTJ2K),
				target("--rle", "RLE Lossless", uid.RLELossless),
				{Names: names("-t/--transfer-syntax"), Params: names("uid"), Help: "any, by UID or keyword", Set: func(v []string) error {
					o.Syntax = uid.UID(v[0])
					if u, ok := config.SyntaxOf(v[0]); ok {
						o.Syntax = u
					}
					return nil
				}},
				{Names: names("--list-syntaxes"), Help: "list the transfer syntaxes and what can be done with them", Set: to(&o.List, true)},
			}},
			{"Options", []Flag{
				{Names: names("-q/--quality"), Params: names("1-100"), Help: "of lossy JPEG (default 90)", Set: number(&o.Quality, 1, 100)},
				{Names: names("--quiet"), Help: "print no errors and no summary", Set: to(&o.Say, verb.Quiet)},
				{Names: names("-r/--recursive"), Help: "convert all files in a folder and the folders below", Set: to(&o.Recursive, true)},
				{Names: names("--overwrite"), Help: "replace files that are there already", Set: to(&o.Overwrite, true)},
				{Names: names("--verify"), Help: "decode both files and compare their pixels", Set: to(&o.Verify, true)},
				{Names: names("-v/--verbose"), Help: "say what is being done", Set: to(&o.Say, verb.Verbose)},
				{Names: names("--no-progress"), Help: "show no progress", Set: to(&o.NoProgress, true)},
				help("-h/--help"),
			}},
		},
		Examples: []string{"dcm_conv image.dcm small.dcm --jpeg-lossless --verify", "dcm_conv study plain -r --explicit", "dcm_conv --list-syntaxes"},
		HelpExit: 1,
		Exits: []Exit{
			{0, "every file was converted, or was there already", []verb.Outcome{verb.Done}},
			{1, "wrong arguments", []verb.Outcome{verb.Usage}},
			{2, "a file could not be converted", []verb.Outcome{verb.Partial, verb.Failed, verb.Nothing, verb.NoInput, verb.Output, verb.Connect}},
		},
	}
}

// inputOutput takes the names of an input and an output.
func inputOutput(o *verb.Convert) func([]string) error {
	return func(args []string) error {
		switch {
		case o.List && len(args) == 0:
			return nil
		case len(args) != 2:
			return errors.New("an input and an output are wanted")
		}
		o.Input, o.Output = args[0], args[1]
		return nil
	}
}
