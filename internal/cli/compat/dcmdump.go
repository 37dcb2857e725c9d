package compat

import (
	"errors"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

func dcmdump() *Program {
	o := &verb.Dump{Format: "text", Whole: true, Heading: verb.HeadingNever, OneByOne: true}
	o.Print.Compatible = true
	syntax := func(names0, help string, u uid.UID) Flag {
		return Flag{Names: names(names0), Help: help, Set: to(&o.Read.Syntax, u)}
	}
	most := func(v []string) error {
		var k int64
		if err := number(&k, 4, 4194302)(v); err != nil {
			return err
		}
		o.MostKept = k << 10
		return nil
	}
	return &Program{
		Name: "dcmdump", DCMTK: true, Purpose: "dump DICOM file and data set", Usage: "[options] dcmfile-in...",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if o.Paths = args; len(args) == 0 {
				return errors.New("a file is wanted")
			}
			return nil
		},
		Groups: []Group{
			general(&o.Common),
			{"Input options", []Flag{
				{Names: names("+f/--read-file"), Help: "read file format or data set (default)", Always: "both are told apart by what they begin with"},
				{Names: names("+fo/--read-file-only"), Refuse: "a data set without header is read too; test the first 132 bytes for DICM"},
				{Names: names("-f/--read-dataset"), Always: "a data set without header is told from a file by what it begins with"},
				{Names: names("-t=/--read-xfer-auto"), Help: "use the file's transfer syntax (default)", Same: true, Set: to(&o.Read.Syntax, "")},
				{Names: names("-td/--read-xfer-detect"), Always: "what the elements look like always overrules the header"},
				syntax("-te/--read-xfer-little", "read with Explicit VR Little Endian", uid.ExplicitVRLittleEndian),
				syntax("-tb/--read-xfer-big", "read with Explicit VR Big Endian", uid.ExplicitVRBigEndian),
				syntax("-ti/--read-xfer-implicit", "read with Implicit VR Little Endian", uid.ImplicitVRLittleEndian),
				{Names: names("+sd/--scan-directories"), Help: "print the files in folders", Set: both(to(&o.Recursive, true), to(&o.Shallow, true))},
				{Names: names("+sp/--scan-pattern"), Params: names("pattern"), Help: "only files of this name, * and ? allowed", Set: text(&o.Pattern)},
				{Names: names("-r/--no-recurse"), Help: "not the folders below (default)", Set: both(to(&o.Recursive, true), to(&o.Shallow, true))},
				{Names: names("+r/--recurse"), Help: "the folders below too", Set: both(to(&o.Recursive, true), to(&o.Deep, true))},
				{Names: names("+M/--load-all"), Help: "load long values (default)", Same: true, Set: to(&o.Print.MostLoaded, 0)},
				{Names: names("-M/--load-short"), Help: "do not load long values", Set: to(&o.LoadShort, true)},
				{Names: names("+R/--max-read-length"), Params: names("kbytes"), Help: "from how many kbytes on values are long (default 4)", Set: most},
				{Names: names("+ml/--use-meta-length"), Always: "file meta information ends where group 0002 does"},
				{Names: names("-ml/--ignore-meta-length"), Always: "file meta information ends where group 0002 does"},
				{Names: names("+ao/--accept-odd-length"), Always: "odd lengths are accepted"},
				{Names: names("+ae/--assume-even-length"), Refuse: "gantry dump reads odd lengths as they are"},
				{Names: names("+ev/--use-explicit-vr"), Always: "an explicit VR is used"},
				{Names: names("-ev/--ignore-explicit-vr"), Refuse: "the VR of the file is printed; look the other up in PS3.6"},
				{Names: names("+vr/--treat-as-unknown"), Always: "a VR that is not in the standard is unknown"},
				{Names: names("-vr/--assume-implicit"), Always: "bytes that are no VR are tried as Implicit VR"},
				{Names: names("+ui/--enable-cp246"), Always: "UN of undefined length is Implicit VR (PS3.5 6.2.2)"},
				{Names: names("-ui/--disable-cp246"), Refuse: "UN of undefined length is Implicit VR (PS3.5 6.2.2)"},
				{Names: names("-uc/--retain-un"), Always: "UN stays UN"},
				{Names: names("+uc/--convert-un"), Refuse: "UN stays UN; gantry dump --format json has the bytes"},
				{Names: names("-sq/--maxlength-dict"), Always: "the dictionary decides"},
				{Names: names("+sq/--maxlength-seq"), Refuse: "the dictionary decides"},
				{Names: names("-rd/--use-delim-items"), Always: "delimitation items are read as they are"},
				{Names: names("+rd/--replace-wrong-delim"), Always: "a wrong delimitation item never ends the reading"},
				{Names: names("-oi/--illegal-obow-rej"), Always: "the element is read as fragments"},
				{Names: names("+oi/--illegal-obow-conv"), Refuse: "the element is read as fragments"},
				{Names: names("-vi/--illegal-voi-rej"), Always: "the element is printed as the words that it is"},
				{Names: names("+vi/--illegal-voi-conv"), Refuse: "the element is printed as the words that it is"},
				{Names: names("-pe/--abort-expl-pixdata"), Refuse: "pixel data of explicit length is printed"},
				{Names: names("+pe/--use-expl-pixdata"), Always: "pixel data of explicit length is printed"},
				{Names: names("+Ep/--ignore-parse-errors"), Help: "print what can be read", Set: to(&o.Whole, false)},
				{Names: names("-Ep/--handle-parse-errors"), Help: "print nothing of a file with errors (default)", Same: true, Set: to(&o.Whole, true)},
				{Names: names("+st/--stop-after-elem"), Params: names("element"), Help: "stop behind this element", Set: until(&o.Read, 1)},
				{Names: names("+sb/--stop-before-elem"), Params: names("element"), Help: "stop before this element", Set: until(&o.Read, 0)},
				{Names: names("+dc/--enable-correction"), Always: "padding is corrected as it is printed"},
				{Names: names("-dc/--disable-correction"), Refuse: "padding is corrected; gantry dump prints what the file has"},
				{Names: names("+bd/--bitstream-deflated"), Always: "a deflated data set is a bare deflate stream (PS3.5 A.5)"},
				{Names: names("+bz/--bitstream-zlib"), Refuse: "a zlib stream is not DICOM: inflate it first"},
			}},
			{"Processing and output options", []Flag{
				{Names: names("+U8/--convert-to-utf8"), Refuse: "gantry dump prints UTF-8"},
				{Names: names("+L/--print-all"), Help: "print long values whole", Set: to(&o.Print.Long, true)},
				{Names: names("-L/--print-short"), Help: "print long values shortened (default)", Same: true, Set: to(&o.Print.Long, false)},
				{Names: names("+T/--print-tree"), Refuse: "the indented form shows the same; use it (-T)"},
				{Names: names("-T/--print-indented"), Always: "sequences are indented"},
				{Names: names("+F/--print-filename"), Help: "print the name of each file over it", Set: to(&o.Heading, verb.HeadingDCMTK)},
				{Names: names("+Fs/--print-file-search"), Refuse: "+F prints the name of every file"},
				{Names: names("+Un/--map-uid-names"), Help: "print names of UIDs (default)", Same: true, Set: to(&o.Print.NumericUIDs, false)},
				{Names: names("-Un/--no-uid-names"), Help: "print UIDs as they are", Set: to(&o.Print.NumericUIDs, true)},
				{Names: names("+Qn/--quote-nonascii"), Refuse: "gantry dump escapes what disturbs a terminal"},
				{Names: names("+Qo/--quote-as-octal"), Refuse: "gantry dump escapes what disturbs a terminal"},
				{Names: names("-Qn/--print-nonascii"), Always: "bytes are printed as they are"},
				{Names: names("+C/--print-color"), Refuse: "there is no colour"},
				{Names: names("-C/--no-color"), Always: "there is no colour"},
				{Names: names("-E/--stop-on-error"), Help: "print nothing of a damaged file (default)", Same: true, Set: to(&o.Whole, true)},
				{Names: names("+E/--ignore-errors"), Help: "print of a damaged file what can be read", Set: to(&o.Whole, false)},
				{Names: names("+P/--search"), Params: names("element"), Help: "print this element only; may be repeated", Set: more(&o.Tags)},
				{Names: names("+s/--search-all"), Help: "all elements found (default)", Same: true, Set: to(&o.Print.First, false)},
				{Names: names("-s/--search-first"), Help: "only the first of each tag", Set: to(&o.Print.First, true)},
				{Names: names("+p/--prepend"), Help: "print the sequences around an element found", Set: to(&o.Print.Prepend, true)},
				{Names: names("-p/--no-prepend"), Help: "do not print them (default)", Same: true, Set: to(&o.Print.Prepend, false)},
				{Names: names("+W/--write-pixel"), Params: names("dir"), Refuse: "gantry dump --format json has the bytes in base64"},
			}},
		},
		Examples: []string{"dcmdump image.dcm", "dcmdump +P PatientName +P 0020,000d image.dcm", "dcmdump +sd +r +F study"},
		Exits: []Exit{
			{0, "every file was printed", []verb.Outcome{verb.Done}},
			{1, "a file cannot be read, or wrong arguments", []verb.Outcome{verb.NoInput, verb.Failed, verb.Partial, verb.Nothing, verb.Output, verb.Connect, verb.Usage}},
		},
	}
}

// until ends reading at an element, or behind it.
func until(o *dicom.DecodeOptions, behind tag.Tag) func([]string) error {
	return func(v []string) error {
		t, err := dict.ParseTag(v[0])
		o.Until = t + behind
		return err
	}
}
