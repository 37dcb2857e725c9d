package compat

import (
	"fmt"
	"path/filepath"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

func storeSCU() *Program {
	o := &verb.Store{Sources: verb.Sources{Folders: true}, Retries: 3}
	groups := described(&o.Common, &o.Peer, "STORESCU", 30*time.Second)
	return &Program{
		Name: "store_scu", Purpose: "send files to a peer (C-STORE)", Usage: "[options] <peer> <port> <dcmfile-in> [dcmfile-in...]",
		Options: o, Args: calls(&o.Peer, -1, &o.Inputs), Run: o.Run,
		Groups: append(groups,
			Group{"Transfer", []Flag{
				{Names: names("-r/--recursive"), Help: "with all folders below", Set: to(&o.Recurse, true)},
				{Names: names("-xs/--prefer-lossless"), Help: "propose lossless JPEG, JPEG 2000 and RLE, and uncompressed", Set: to(&o.Allowed, []uid.UID{
					uid.JPEGLosslessSV1, uid.JPEG2000Lossless, uid.RLELossless, uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian})},
				{Names: names("-xv/--propose-implicit"), Help: "propose implicit VR little endian only", Set: to(&o.Allowed, []uid.UID{uid.ImplicitVRLittleEndian})},
				{Names: names("-xe/--propose-explicit"), Help: "propose explicit VR little endian only", Set: to(&o.Allowed, []uid.UID{uid.ExplicitVRLittleEndian})},
				{Names: names("+xa/--propose-all"), Help: "propose what each file is stored in (default)", Same: true, Set: to(&o.Allowed, nil)},
				{Names: names("--max-pdu"), Params: names("bytes"), Help: "longest PDU to receive (default 16384)", Set: number(&o.MaxPDU, 4096, 1<<27)},
			}},
			Group{"Many files", []Flag{
				{Names: names("--scan-pattern"), Params: names("pattern"), Help: "take files in folders whose names match (default: all that are DICOM)", Set: pattern(&o.Pattern)},
				{Names: names("--continue-on-error"), Help: "go on after a failure (default)", Same: true, Set: to(&o.Halt, false)},
				{Names: names("--stop-on-error"), Help: "stop at the first failure", Set: to(&o.Halt, true)},
				{Names: names("-p/--progress"), Help: "show progress", Set: to(&o.Progress, true)},
				{Names: names("--report-file"), Params: names("file"), Help: "write a report", Set: text(&o.Report)},
				{Names: names("--resume"), Help: "leave out what the report file says was sent", Set: to(&o.Resume, true)},
				{Names: names("--jobs"), Params: names("n"), Help: "associations at a time (default 1)", Set: number(&o.Jobs, 1, 64)},
				{Names: names("--retries"), Params: names("n"), Help: "tries after a failure that may pass (default 3)", Set: number(&o.Retries, 0, 1000)},
			}}),
		Examples: []string{"store_scu localhost 11112 image.dcm", "store_scu -r -aec PACS --report-file sent.txt 10.0.0.9 104 study/",
			"store_scu -r --scan-pattern '*.dcm' --stop-on-error localhost 11112 study/"},
		Exits: []Exit{
			{0, "every object was stored", []verb.Outcome{verb.Done}},
			{1, "some failed", []verb.Outcome{verb.Partial, verb.Failed, verb.Nothing, verb.Output}},
			{2, "wrong arguments, no files, or no association", []verb.Outcome{verb.Usage, verb.NoInput, verb.Connect}},
		},
	}
}

// pattern sets a file name pattern.
func pattern(p *string) func([]string) error {
	return func(v []string) error {
		if _, err := filepath.Match(v[0], ""); err != nil {
			return fmt.Errorf("%q: %w", v[0], err)
		}
		*p = v[0]
		return nil
	}
}

// transfer is one of DCMTK's choices of a transfer syntax, named alike for senders and
// receivers.
type transfer struct {
	letter, word, help string
	syntax             uid.UID
}

// transfers are those beside the uncompressed ones.
func transfers() []transfer {
	return []transfer{
		{"s", "lossless", "JPEG lossless", uid.JPEGLosslessSV1},
		{"y", "jpeg8", "JPEG baseline", uid.JPEGBaseline8Bit},
		{"x", "jpeg12", "JPEG extended", uid.JPEGExtended12Bit},
		{"v", "j2k-lossless", "JPEG 2000 lossless", uid.JPEG2000Lossless},
		{"w", "j2k-lossy", "JPEG 2000", uid.JPEG2000},
		{"t", "jls-lossless", "JPEG-LS lossless", uid.JPEGLSLossless},
		{"u", "jls-lossy", "JPEG-LS near-lossless", uid.JPEGLSNearLossless},
		{"m", "mpeg2", "MPEG2 MP@ML", uid.MPEG2MPML},
		{"h", "mpeg2-high", "MPEG2 MP@HL", uid.MPEG2MPHL},
		{"n", "mpeg4", "MPEG4 HP 4.1", uid.MPEG4HP41},
		{"l", "mpeg4-bd", "MPEG4 HP 4.1 BD", uid.MPEG4HP41BD},
		{"2", "mpeg4-2-2d", "MPEG4 HP 4.2 2D", uid.MPEG4HP422D},
		{"3", "mpeg4-2-3d", "MPEG4 HP 4.2 3D", uid.MPEG4HP423D},
		{"o", "mpeg4-2-st", "MPEG4 HP 4.2 stereo", uid.MPEG4HP42STEREO},
		{"4", "hevc", "HEVC MP 5.1", uid.HEVCMP51},
		{"5", "hevc10", "HEVC M10P 5.1", uid.HEVCM10P51},
		{"r", "rle", "RLE lossless", uid.RLELossless},
		{"d", "deflated", "deflated explicit VR little endian", uid.DeflatedExplicitVRLittleEndian},
	}
}

// proposals are storescu's proposed transfer syntaxes.
func proposals(p *[]uid.UID) []Flag {
	le, be, im := uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.ImplicitVRLittleEndian
	out := []Flag{
		{Names: names("-x=/--propose-uncompr"), Help: "propose uncompressed only (without any of these: what each file is stored in)", Set: to(p, []uid.UID{le, be, im})},
		{Names: names("-xe/--propose-little"), Help: "propose uncompressed, explicit VR little endian first", Set: to(p, []uid.UID{le, be, im})},
		{Names: names("-xb/--propose-big"), Help: "propose uncompressed, explicit VR big endian first", Set: to(p, []uid.UID{be, le, im})},
		{Names: names("-xi/--propose-implicit"), Help: "propose implicit VR little endian only", Set: to(p, []uid.UID{im})},
	}
	for _, t := range transfers() {
		out = append(out, Flag{Names: []string{"-x" + t.letter, "--propose-" + t.word}, Help: "propose " + t.help + " and uncompressed",
			Set: to(p, []uid.UID{t.syntax, le, be, im})})
	}
	return out
}

// identity are DCMTK's options of user identity negotiation (PS3.7 D.3.3.7).
func identity(p *verb.Peer) []Flag {
	return []Flag{
		{Names: names("-usr/--user"), Params: names("name"), Help: "log in by a user name", Set: p.SetUser},
		{Names: names("-pwd/--password"), Params: names("password"), Help: "with a password", Set: p.SetPassword},
		{Names: names("-epw/--empty-password"), Help: "with an empty password", Set: func([]string) error { return p.SetPassword([]string{""}) }},
		{Names: names("-kt/--kerberos"), Params: names("token"), Help: "log in by a Kerberos ticket in a file", Set: p.SetToken(verb.Kerberos)},
		{Names: names("--saml"), Params: names("token"), Help: "log in by a SAML assertion in a file", Set: p.SetToken(verb.SAML)},
		{Names: names("--jwt"), Params: names("token"), Help: "log in by a JSON web token in a file", Set: p.SetToken(verb.JWT)},
		{Names: names("-rsp/--pos-response"), Help: "ask for a response", Set: p.AskResponse},
	}
}

// maxSend is what DCMTK can restrict and we need not.
func maxSend() Flag {
	return Flag{Names: names("--max-send-pdu"), Params: names("bytes"), Refuse: "PDUs are as long as the peer says it takes; restrict that on the peer"}
}

func inputFormat(onlyFiles *bool, def bool) []Flag {
	*onlyFiles = def
	return []Flag{
		{Names: names("+f/--read-file"), Help: "read files with and without file meta information", Same: !def, Set: to(onlyFiles, false)},
		{Names: names("+fo/--read-file-only"), Help: "read files with file meta information only", Same: def, Set: to(onlyFiles, true)},
		{Names: names("-f/--read-dataset"), Help: "read files without file meta information too", Same: !def, Set: to(onlyFiles, false)},
	}
}

func inputFiles(o *verb.Store) []Flag {
	return []Flag{
		{Names: names("+sd/--scan-directories"), Help: "folders may be given", Set: to(&o.Folders, true)},
		{Names: names("+sp/--scan-pattern"), Params: names("pattern"), Help: "take files in folders whose names match", Set: pattern(&o.Pattern)},
		{Names: names("-r/--no-recurse"), Help: "not what is below (default)", Same: true, Set: to(&o.Recurse, false)},
		{Names: names("+r/--recurse"), Help: "with all folders below", Set: to(&o.Recurse, true)},
	}
}

const invent = "objects are sent as they are, under their own UIDs"

func storescu() *Program {
	o := &verb.Store{Halt: true}
	p := &Program{
		Name: "storescu", DCMTK: true, Purpose: "DICOM storage (C-STORE) SCU", Usage: "[options] peer port dcmfile-in...",
		Options: o, Args: calls(&o.Peer, -1, &o.Inputs), Run: o.Run,
		Groups: []Group{
			general(&o.Common),
			{"Input options", append(append(inputFormat(&o.OnlyFiles, false), inputFiles(o)...),
				Flag{Names: names("-rn/--no-rename"), Help: "leave files their names (default)", Same: true, Set: to(&o.Rename, false)},
				Flag{Names: names("+rn/--rename"), Help: "append .done or .bad to the names of files", Set: to(&o.Rename, true)})},
			{"Application entity titles", titles(&o.Peer, "STORESCU")},
			{"Proposed transfer syntaxes", append(proposals(&o.Allowed),
				Flag{Names: names("-xf/--config-file"), Params: names("file/profile"), Refuse: "use the -x options; the contexts are planned from the files"},
				Flag{Names: names("-R/--required"), Always: "only contexts that the files need are proposed"},
				Flag{Names: names("+C/--combine"), Help: "one context with all transfer syntaxes of a class", Set: to(&o.Combine, true)},
				compression(),
				Flag{Names: names("+u/--enable-new-vr"), Always: "every VR is written as it is"},
				Flag{Names: names("-u/--disable-new-vr"), Refuse: "every VR is written as it is"})},
			{"User identity", identity(&o.Peer)},
			{"Other network options", append(waits(&o.Peer), maxSend(),
				Flag{Names: names("--repeat"), Params: names("n"), Help: "send everything n times", Set: number(&o.Repeat, 1, 1<<31)},
				Flag{Names: names("--abort"), Help: "end by A-ABORT", Set: to(&o.Abort, true)},
				Flag{Names: names("-nh/--no-halt"), Help: "go on after a failure", Set: to(&o.Halt, false)},
				Flag{Names: names("-up/--uid-padding"), Always: "padding of UIDs is left out"},
				Flag{Names: names("+II/--invent-instance"), Refuse: invent},
				Flag{Names: names("+IR/--invent-series"), Params: names("n"), Refuse: invent},
				Flag{Names: names("+IS/--invent-study"), Params: names("n"), Refuse: invent},
				Flag{Names: names("+IP/--invent-patient"), Params: names("n"), Refuse: invent})},
			secure(&o.Peer),
		},
		Examples: []string{"storescu localhost 11112 image.dcm", "storescu -v +sd +r -aec PACS 10.0.0.9 104 study/", "storescu -xs -nh localhost 11112 a.dcm b.dcm"},
		Exits: []Exit{
			{0, "every object was stored", []verb.Outcome{verb.Done}},
			{1, "failed, in part or as a whole", []verb.Outcome{verb.Partial, verb.Failed, verb.Nothing, verb.Output, verb.Usage, verb.NoInput, verb.Connect}},
		},
	}
	p.Groups[0].Flags = append(p.Groups[0].Flags, contextsShown())
	return p
}

func contextsShown() Flag {
	return Flag{Names: names("+v/--verbose-pc"), Refuse: "use --debug"}
}

func dcmsend() *Program {
	o := &verb.Store{Halt: true, Decoding: verb.DecodeLossless}
	p := &Program{
		Name: "dcmsend", DCMTK: true, Purpose: "simple DICOM storage SCU (sender)", Usage: "[options] peer port dcmfile-in...",
		Options: o, Args: calls(&o.Peer, -1, &o.Inputs), Run: o.Run,
		Groups: []Group{
			general(&o.Common),
			{"Input options", append(append(inputFormat(&o.OnlyFiles, true), inputFiles(o)...),
				Flag{Names: names("+rd/--read-from-dicomdir"), Help: "the inputs are DICOMDIRs: send what they refer to", Set: to(&o.ReadDir, true)})},
			{"Processing options", []Flag{
				{Names: names("-dn/--decompress-never"), Help: "compressed objects are sent as they are, or fail", Set: to(&o.Decoding, verb.DecodeNever)},
				{Names: names("+dls/--decompress-lossless"), Help: "where the peer does not take them, decompress those that are compressed without loss (default)", Same: true, Set: to(&o.Decoding, verb.DecodeLossless)},
				{Names: names("+dly/--decompress-lossy"), Help: "and those that are compressed with loss", Set: to(&o.Decoding, verb.DecodeAll)},
				compression(),
				{Names: names("-nh/--no-halt"), Help: "go on after a failure", Set: to(&o.Halt, false)},
				{Names: names("-nip/--no-illegal-proposal"), Always: "the default transfer syntax is proposed for all that can be laid out in it"},
				{Names: names("-nuc/--no-uid-checks"), Always: "UIDs are sent as they stand in the file"},
			}},
			{"Application entity titles", titles(&o.Peer, "DCMSEND")},
			{"Network options", append(waits(&o.Peer), maxSend(),
				Flag{Names: names("+ma/--multi-associations"), Help: "as many associations as the contexts need (default)", Same: true, Set: to(&o.Single, false)},
				Flag{Names: names("-ma/--single-association"), Help: "one association", Set: to(&o.Single, true)})},
			{"Output options", []Flag{{Names: names("+crf/--create-report-file"), Params: names("file"), Help: "write a report", Set: text(&o.Report)}}},
			secureToo(&o.Peer),
		},
		Examples: []string{"dcmsend localhost 11112 image.dcm", "dcmsend -v +sd +r -aec PACS 10.0.0.9 104 study/", "dcmsend +rd localhost 11112 /media/cd/DICOMDIR"},
		Exits: []Exit{
			{0, "every object was stored", []verb.Outcome{verb.Done}},
			{1, "wrong arguments", []verb.Outcome{verb.Usage}},
			{21, "no input files", []verb.Outcome{verb.NoInput}},
			{43, "the report cannot be written", []verb.Outcome{verb.Output}},
			{61, "no association", []verb.Outcome{verb.Connect}},
			{62, "an object was not stored", []verb.Outcome{verb.Partial, verb.Failed, verb.Nothing}},
		},
	}
	p.Groups[0].Flags = append(p.Groups[0].Flags, contextsShown(), Flag{Names: names("--list-decoders"), Refuse: "gantry convert --list-syntaxes tells what is decoded"})
	// dcmsend has no socket timeout of its own.
	p.Groups[4].Flags = without(p.Groups[4].Flags, "-ts")
	return p
}

// without drops a flag that a tool does not have.
func without(flags []Flag, name string) []Flag {
	var out []Flag
	for _, f := range flags {
		if f.Names[0] != name {
			out = append(out, f)
		}
	}
	return out
}
