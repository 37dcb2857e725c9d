package compat

import (
	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

func dcmconv() *Program {
	o := new(verb.Convert)
	return converter("dcmconv", "convert DICOM file encoding", o,
		[]string{"dcmconv +ti image.dcm implicit.dcm", "dcmconv -F image.dcm bare", "dcmconv -g -p image.dcm lean.dcm"},
		input(o, append(readSyntax(o), parsing(o)...)...),
		Group{"Processing options", characters()},
		Group{"Output options", append(append(append([]Flag{
			{Names: names("+Fm/--write-new-meta-info"), Help: "write new file meta information (default)", Same: true, Set: to(&o.Bare, false)},
			{Names: names("+F/--write-file"), Refuse: "file meta information says who wrote the file: it is new (+Fm)"},
			{Names: names("-F/--write-dataset"), Help: "write the data set alone", Set: to(&o.Bare, true)},
			{Names: names("+t=/--write-xfer-same"), Help: "write the transfer syntax of the input (default)", Same: true, Set: to(&o.Syntax, "")},
		}, writeSyntax(o, false)...), []Flag{
			{Names: names("+td/--write-xfer-deflated"), Help: "write Deflated Explicit VR Little Endian", Set: to(&o.Syntax, uid.DeflatedExplicitVRLittleEndian)},
			{Names: names("+tg/--write-xfer-ge"), Refuse: "a private syntax that is not DICOM: use +ti"},
			{Names: names("+eo/--write-oversized"), Always: "what is too long for a length is written with an undefined one"},
			{Names: names("-eo/--abort-oversized"), Refuse: "what is too long for a length is written with an undefined one"},
			compression(),
		}...), layout(o)...)})
}

// parsing are the choices of how a damaged file is read.
func parsing(o *verb.Convert) []Flag {
	return []Flag{
		{Names: names("+ml/--use-meta-length"), Always: "file meta information ends where group 0002 does"},
		{Names: names("-ml/--ignore-meta-length"), Always: "file meta information ends where group 0002 does"},
		{Names: names("+ao/--accept-odd-length"), Always: "odd lengths are accepted"},
		{Names: names("+ae/--assume-even-length"), Refuse: "odd lengths are taken as they are"},
		{Names: names("+ev/--use-explicit-vr"), Always: "an explicit VR is used"},
		{Names: names("-ev/--ignore-explicit-vr"), Refuse: "an explicit VR is used"},
		{Names: names("+vr/--treat-as-unknown"), Always: "a VR that is not in the standard is unknown"},
		{Names: names("-vr/--assume-implicit"), Always: "bytes that are no VR are tried as Implicit VR"},
		{Names: names("+ui/--enable-cp246"), Always: "UN of undefined length is Implicit VR (PS3.5 6.2.2)"},
		{Names: names("-ui/--disable-cp246"), Refuse: "UN of undefined length is Implicit VR (PS3.5 6.2.2)"},
		{Names: names("-uc/--retain-un"), Always: "UN stays UN"},
		{Names: names("+uc/--convert-un"), Refuse: "UN stays UN"},
		{Names: names("-sq/--maxlength-dict"), Always: "the dictionary decides"},
		{Names: names("+sq/--maxlength-seq"), Refuse: "the dictionary decides"},
		{Names: names("-rd/--use-delim-items"), Always: "delimitation items are read as they are"},
		{Names: names("+rd/--replace-wrong-delim"), Refuse: "delimitation items are read as they are"},
		{Names: names("-oi/--illegal-obow-rej"), Always: "such an element is no sequence"},
		{Names: names("+oi/--illegal-obow-conv"), Refuse: "such an element is no sequence"},
		{Names: names("-vi/--illegal-voi-rej"), Always: "the element stays the words that it is"},
		{Names: names("+vi/--illegal-voi-conv"), Refuse: "the element stays the words that it is"},
		{Names: names("-pe/--abort-expl-pixdata"), Refuse: "pixel data of explicit length is kept"},
		{Names: names("+pe/--use-expl-pixdata"), Always: "pixel data of explicit length is kept"},
		{Names: names("+Ep/--ignore-parse-errors"), Refuse: "half a file would be written; gantry dump prints what can be read"},
		{Names: names("-Ep/--handle-parse-errors"), Always: "nothing is written of a file that cannot be read"},
		{Names: names("+st/--stop-after-elem"), Params: names("element"), Help: "leave out what is behind this element", Set: until(&o.Read, 1)},
		{Names: names("+dc/--enable-correction"), Refuse: "values are written as they are; gantry dump --flaws tells what is wrong"},
		{Names: names("-dc/--disable-correction"), Always: "values are written as they are"},
		{Names: names("+bd/--bitstream-deflated"), Always: "a deflated data set is a bare deflate stream (PS3.5 A.5)"},
		{Names: names("+bz/--bitstream-zlib"), Refuse: "a zlib stream is not DICOM: inflate it first"},
	}
}

// characters are the conversions of text.
func characters() []Flag {
	const stays = "text stays in its character set; gantry dump --format json has it in UTF-8"
	return []Flag{
		{Names: names("+U8/--convert-to-utf8"), Refuse: stays},
		{Names: names("+L1/--convert-to-latin1"), Refuse: stays},
		{Names: names("+A7/--convert-to-ascii"), Refuse: stays},
		{Names: names("+C/--convert-to-charset"), Params: names("charset"), Refuse: stays},
		{Names: names("-Ct/--transliterate"), Refuse: stays},
		{Names: names("-Cd/--discard-illegal"), Refuse: stays},
		{Names: names("-ig/--no-invalid-groups"), Refuse: "elements of invalid groups are kept"},
	}
}
