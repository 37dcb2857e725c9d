package compat

import (
	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

// preferences are DCMTK's preferred transfer syntaxes of what is received.
func preferences(p *[]uid.UID, only *bool) []Flag {
	le, be, im := uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.ImplicitVRLittleEndian
	out := []Flag{
		{Names: names("+x=/--prefer-uncompr"), Help: "prefer uncompressed (without any of these: as it is stored)", Set: to(p, []uid.UID{le, be, im})},
		{Names: names("+xe/--prefer-little"), Help: "prefer explicit VR little endian", Set: to(p, []uid.UID{le, be, im})},
		{Names: names("+xb/--prefer-big"), Help: "prefer explicit VR big endian", Set: to(p, []uid.UID{be, le, im})},
	}
	for _, t := range transfers() {
		out = append(out, Flag{Names: []string{"+x" + t.letter, "--prefer-" + t.word}, Help: "prefer " + t.help, Set: to(p, []uid.UID{t.syntax, le, be, im})})
	}
	return append(out, Flag{Names: names("+xi/--implicit"), Help: "implicit VR little endian only", Set: both(to(p, []uid.UID{im}), to(only, true))})
}

const (
	asReceived = "objects are written byte for byte as received"
	noWrappers = "restrict callers by a firewall or on a server by --accept-ae"
)

// writing are DCMTK's options for the files of received objects.
func writing(f *verb.Folder) []Flag {
	out := []Flag{
		{Names: names("-B/--normal"), Always: asReceived},
		{Names: names("+B/--bit-preserving"), Always: asReceived},
		{Names: names("+F/--write-file"), Help: "write file meta information (default)", Same: true, Set: to(&f.Bare, false)},
		{Names: names("-F/--write-dataset"), Help: "write the data set alone", Set: to(&f.Bare, true)},
		{Names: names("+t=/--write-xfer-same"), Always: asReceived},
		{Names: names("+u/--enable-new-vr"), Always: asReceived},
		{Names: names("-u/--disable-new-vr"), Refuse: asReceived},
		{Names: names("+g=/--group-length-recalc"), Always: asReceived},
		{Names: names("+g/--group-length-create"), Refuse: asReceived},
		{Names: names("-g/--group-length-remove"), Refuse: asReceived},
		{Names: names("+e/--length-explicit"), Refuse: asReceived},
		{Names: names("-e/--length-undefined"), Refuse: asReceived},
		{Names: names("-p/--padding-off"), Always: "files are not padded"},
		{Names: names("+p/--padding-create"), Params: names("file-pad/item-pad"), Refuse: asReceived},
		compression(),
	}
	for _, name := range [...]string{"+te/--write-xfer-little", "+tb/--write-xfer-big", "+ti/--write-xfer-implicit", "+td/--write-xfer-deflated"} {
		out = append(out, Flag{Names: names(name), Refuse: asReceived + "; choose what is received by a +x option"})
	}
	return out
}

func movescu() *Program {
	o := &verb.Retrieve{ByMove: true, Dest: "MOVESCU"}
	o.Model = "patient"
	o.Folder = verb.Folder{Dir: ".", MustExist: true, Naming: verb.ByModality, Extension: "-", Twice: verb.Replace}
	return &Program{
		Name: "movescu", DCMTK: true, Purpose: "DICOM retrieve (C-MOVE) SCU", Usage: "[options] peer port [dcmfile-in...]",
		Options: o, Args: calls(&o.Peer, -1, &o.Query.Files), Run: o.Run,
		Groups: []Group{
			general(&o.Common),
			{"Query", model(&o.Query)},
			{"Application entity titles", append(titles(&o.Peer, "MOVESCU"),
				Flag{Names: names("-aem/--move"), Params: names("title"), Help: "where to send to (default MOVESCU)", Set: title(&o.Dest)})},
			{"Preferred transfer syntaxes of what is received", append(preferences(&o.Prefer, &o.Only),
				Flag{Names: names("+xa/--accept-all"), Help: "accept objects as they are stored (default)", Same: true, Set: to(&o.Prefer, nil)})},
			{"Proposed transfer syntaxes", uncompressed(&o.Syntaxes)},
			{"Receiving", []Flag{
				{Names: names("-ac/--access-full"), Always: "any host may send"},
				{Names: names("+ac/--access-control"), Refuse: noWrappers},
				{Names: names("--no-port"), Help: "receive nothing (default)", Same: true, Set: to(&o.Receive, 0)},
				{Names: names("+P/--port"), Params: names("port"), Help: "receive on this port", Set: number(&o.Receive, 1, 65535)},
				{Names: names("-pi/--pending-ignore"), Always: "a data set that does not belong there is read away"},
				{Names: names("-pr/--pending-read"), Always: "a data set that does not belong there is read away"},
			}},
			{"Other network options", append(without(waits(&o.Peer), "-ts"),
				Flag{Names: names("-dhl/--disable-host-lookup"), Always: "addresses are not looked up"},
				Flag{Names: names("--repeat"), Params: names("n"), Help: "ask n times", Set: number(&o.Repeat, 1, 1<<31)},
				Flag{Names: names("--abort"), Help: "end by A-ABORT", Set: to(&o.Abort, true)},
				Flag{Names: names("--ignore"), Help: "receive and keep nothing", Set: to(&o.Folder.Ignore, true)},
				Flag{Names: names("--cancel"), Params: names("n"), Help: "cancel after n responses", Set: number(&o.Most, 1, 1<<31)},
				Flag{Names: names("-up/--uid-padding"), Always: "padding of UIDs is left out"})},
			{"Output options", append(writing(&o.Folder),
				Flag{Names: names("-od/--output-directory"), Params: names("folder"), Help: "existing folder for received objects (default .)", Set: text(&o.Folder.Dir)})},
			secureToo(&o.Peer),
		},
		Examples: []string{"movescu -S -aem WS -k QueryRetrieveLevel=STUDY -k StudyInstanceUID=1.2.3 localhost 11112",
			"movescu -S -aet ME -aem ME +P 11113 -od in -k 0008,0052=STUDY -k 0020,000d=1.2.3 localhost 11112", "movescu -v -P -aem WS 10.0.0.9 104 query.dcm"},
		Exits: []Exit{
			{0, "done, also when there was nothing to do", []verb.Outcome{verb.Done, verb.Nothing}},
			{1, "wrong arguments", []verb.Outcome{verb.Usage, verb.NoInput}},
			{45, "the output folder cannot be written to", []verb.Outcome{verb.Output}},
			{61, "no association", []verb.Outcome{verb.Connect}},
			{68, "some objects failed", []verb.Outcome{verb.Partial}},
			{69, "failed", []verb.Outcome{verb.Failed}},
		},
	}
}

func getscu() *Program {
	o := &verb.Retrieve{}
	o.Model = "patient"
	o.Folder = verb.Folder{Dir: ".", MustExist: true, Naming: verb.ByModality, Extension: "-", Twice: verb.Replace}
	p := &Program{
		Name: "getscu", DCMTK: true, Purpose: "DICOM retrieve (C-GET) SCU", Usage: "[options] peer port [dcmfile-in...]",
		Options: o, Args: calls(&o.Peer, -1, &o.Query.Files), Run: o.Run,
		Groups: []Group{
			general(&o.Common),
			{"Query", model(&o.Query)},
			{"Application entity titles", titles(&o.Peer, "GETSCU")},
			{"Preferred transfer syntaxes of what is received", preferences(&o.Prefer, &o.Only)},
			{"Proposed transfer syntaxes", uncompressed(&o.Syntaxes)},
			{"Other network options", append(without(waits(&o.Peer), "-ts"),
				Flag{Names: names("--repeat"), Params: names("n"), Help: "ask n times", Set: number(&o.Repeat, 1, 1<<31)},
				Flag{Names: names("--abort"), Help: "end by A-ABORT", Set: to(&o.Abort, true)})},
			{"Output options", []Flag{
				{Names: names("-od/--output-directory"), Params: names("folder"), Help: "existing folder for objects (default .)", Set: text(&o.Folder.Dir)},
				{Names: names("-B/--normal"), Always: asReceived},
				{Names: names("+B/--bit-preserving"), Always: asReceived},
				{Names: names("--ignore"), Help: "receive and keep nothing", Set: to(&o.Folder.Ignore, true)},
			}},
			secureToo(&o.Peer),
		},
		Examples: []string{"getscu -S -k QueryRetrieveLevel=STUDY -k StudyInstanceUID=1.2.3 localhost 11112", "getscu -v -S -od in -aec PACS 10.0.0.9 104 query.dcm",
			"getscu -P +xi -k 0008,0052=PATIENT -k PatientID=4711 localhost 11112"},
		Exits: []Exit{
			{0, "done, also when there was nothing to do", []verb.Outcome{verb.Done, verb.Nothing}},
			{1, "failed, in part or as a whole", []verb.Outcome{verb.Usage, verb.NoInput, verb.Output, verb.Connect, verb.Partial, verb.Failed}},
		},
	}
	p.Groups[0].Flags = append(p.Groups[0].Flags, contextsShown())
	return p
}
