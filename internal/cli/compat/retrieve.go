package compat

import (
	"errors"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

// retrieveExits are the exit codes of the described retrieve tools.
func retrieveExits() []Exit {
	return []Exit{
		{0, "done, also when there was nothing to do", []verb.Outcome{verb.Done, verb.Nothing}},
		{1, "some objects failed", []verb.Outcome{verb.Partial}},
		{2, "failed, wrong arguments, or no association", []verb.Outcome{verb.Failed, verb.Usage, verb.Connect, verb.NoInput, verb.Output}},
	}
}

func shown(p *bool) []Flag {
	*p = true
	return []Flag{
		{Names: names("-p/--progress"), Help: "show progress on a terminal (default)", Same: true, Set: to(p, true)},
		{Names: names("--no-progress"), Help: "show no progress", Set: to(p, false)},
	}
}

func moveSCU() *Program {
	o := &verb.Retrieve{ByMove: true}
	o.Model, o.Level, o.Folder.Dir = "patient", "STUDY", "./downloads"
	groups := described(&o.Common, &o.Peer, "MOVESCU", time.Minute)
	return &Program{
		Name: "move_scu", Purpose: "have a peer send objects to another (C-MOVE)", Usage: "[options] <peer> <port>",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if o.Dest == "" {
				return errors.New("-aem, the destination, is missing")
			}
			return calls(&o.Peer, 0, nil)(args)
		},
		Groups: append(groups, keyed(&o.Query), Group{"Retrieve", append(shown(&o.Progress),
			Flag{Names: names("-aem/--move-dest"), Params: names("title"), Help: "AE title to send to (required)", Set: title(&o.Dest)},
			Flag{Names: names("--port"), Params: names("port"), Help: "receive the objects on this port; the peer must know the destination by this address", Set: number(&o.Receive, 1, 65535)},
			Flag{Names: names("-od/--output-dir"), Params: names("folder"), Help: "where received objects go (default ./downloads)", Set: text(&o.Folder.Dir)},
			Flag{Names: names("--ignore-pending"), Help: "say nothing of pending responses", Set: to(&o.Progress, false)})}),
		Examples: []string{"move_scu -aem WORKSTATION -k 0020,000D=1.2.3 localhost 11112", "move_scu -S -L SERIES -aem WS -k StudyInstanceUID=1.2.3 -k SeriesInstanceUID=1.2.3.4 10.0.0.9 104",
			"move_scu -aet ME -aem ME --port 11113 -od in -k 0020,000D=1.2.3 localhost 11112"},
		Exits: retrieveExits(),
	}
}

func getSCU() *Program {
	o := &verb.Retrieve{}
	o.Model, o.Level, o.Folder.Dir = "study", "STUDY", "."
	groups := described(&o.Common, &o.Peer, "GETSCU", time.Minute)
	return &Program{
		Name: "get_scu", Purpose: "fetch objects from a peer (C-GET)", Usage: "[options] <peer> <port>",
		Options: o, Args: calls(&o.Peer, 0, nil), Run: o.Run,
		Groups: append(groups, keyed(&o.Query), Group{"Retrieve", append(shown(&o.Progress),
			Flag{Names: names("-od/--output-dir"), Params: names("folder"), Help: "where objects go (default .)", Set: text(&o.Folder.Dir)},
			Flag{Names: names("--output-format"), Params: names("naming"), Help: "names of files: flat (SOP.dcm, default), hierarchical (study/series/SOP.dcm), date, or dcmtk (CT.SOP)", Set: namedBy(&o.Folder)},
			Flag{Names: names("-xs/--prefer-lossless"), Help: "prefer lossless compression", Set: to(&o.Prefer, []uid.UID{uid.JPEGLosslessSV1, uid.JPEG2000Lossless,
				uid.JPEGLSLossless, uid.RLELossless, uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian})},
			Flag{Names: names("-xe/--prefer-explicit"), Help: "prefer explicit VR little endian", Set: to(&o.Prefer, []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian})},
			Flag{Names: names("+xa/--accept-all"), Help: "accept objects as they are stored (default)", Same: true, Set: to(&o.Prefer, nil)})}),
		Examples: []string{"get_scu -k 0020,000D=1.2.3 -od study localhost 11112", "get_scu -P -L PATIENT -k PatientID=4711 10.0.0.9 104",
			"get_scu -L SERIES -k StudyInstanceUID=1.2.3 -k SeriesInstanceUID=1.2.3.4 --output-format hierarchical localhost 11112"},
		Exits: retrieveExits(),
	}
}

// namedBy sets the naming of a folder.
func namedBy(f *verb.Folder) func([]string) error {
	return func(v []string) error {
		switch v[0] {
		case "flat":
			f.Naming = verb.ByInstance
		case "hierarchical":
			f.Naming = verb.BySeries
		case "date":
			f.Naming = verb.ByDate
		case "viewer":
			f.Naming = verb.ByViewer
		case "dcmtk":
			f.Naming, f.Extension = verb.ByModality, "-"
		default:
			return errors.New("want flat, hierarchical, date, viewer or dcmtk")
		}
		return nil
	}
}

func retrieveSCU() *Program {
	o := &verb.Retrieve{Progress: true}
	o.Form, o.Calling, o.MaxPDU, o.Model, o.Level = verb.Described3, "RETRIEVE_SCU", 16384, "study", "STUDY"
	o.Connect, o.Associate, o.Respond = time.Minute, time.Minute, -1
	o.Folder = verb.Folder{Dir: "./downloads", Naming: verb.BySeries}
	criterion := func(keyword string) func([]string) error {
		return func(v []string) error { o.Keys = append(o.Keys, keyword+"="+v[0]); return nil }
	}
	return &Program{
		Name: "retrieve_scu", Purpose: "fetch objects from a peer, or have it send them (C-GET, C-MOVE)", Usage: "<host> <port> <called_ae> [options]",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if o.ByMove && o.Dest == "" {
				return errors.New("--mode move wants --dest-ae")
			}
			return calls3(&o.Peer)(args)
		},
		Groups: []Group{
			{"Retrieve", []Flag{
				{Names: names("--mode"), Params: names("mode"), Help: "get or move (default get)", Set: func(v []string) error {
					mode := ""
					err := oneOf(&mode, "get", "move")(v)
					o.ByMove = mode == "move"
					return err
				}},
				{Names: names("--dest-ae"), Params: names("title"), Help: "AE title to send to, for move", Set: title(&o.Dest)},
				{Names: names("--local-port"), Params: names("port"), Help: "receive what is moved on this port", Set: number(&o.Receive, 1, 65535)},
				{Names: names("--model"), Params: names("model"), Help: "patient or study (default study)", Set: oneOf(&o.Model, "patient", "study")},
				{Names: names("--level"), Params: names("level"), Help: "PATIENT, STUDY, SERIES or IMAGE (default STUDY)", Set: oneOf(&o.Level, "PATIENT", "STUDY", "SERIES", "IMAGE")},
				{Names: names("--patient-id"), Params: names("id"), Set: criterion("PatientID")},
				{Names: names("--study-uid"), Params: names("uid"), Set: criterion("StudyInstanceUID")},
				{Names: names("--series-uid"), Params: names("uid"), Set: criterion("SeriesInstanceUID")},
				{Names: names("--sop-instance-uid"), Params: names("uid"), Set: criterion("SOPInstanceUID")},
			}},
			{"Options", []Flag{
				{Names: names("--output/-o"), Params: names("folder"), Help: "where objects go (default ./downloads)", Set: text(&o.Folder.Dir)},
				{Names: names("--structure"), Params: names("structure"), Help: "hierarchical (study/series/SOP.dcm, default) or flat", Set: func(v []string) error {
					if v[0] != "hierarchical" && v[0] != "flat" {
						return errors.New("want hierarchical or flat")
					}
					return namedBy(&o.Folder)(v)
				}},
				{Names: names("--overwrite"), Help: "replace files that are there already (default: keep them)", Set: to(&o.Folder.Twice, verb.Replace)},
				{Names: names("--no-progress"), Help: "show no progress", Set: to(&o.Progress, false)},
				{Names: names("--calling-ae"), Params: names("title"), Help: "our AE title (default RETRIEVE_SCU)", Set: title(&o.Calling)},
				{Names: names("--verbose/-v"), Help: "say what is being done", Set: to(&o.Say, verb.Verbose)},
				help("--help/-h"),
			}},
			tlsGroup(&o.Peer),
		},
		Examples: []string{"retrieve_scu localhost 11112 PACS --study-uid 1.2.3", "retrieve_scu localhost 11112 PACS --mode move --dest-ae WS --study-uid 1.2.3",
			"retrieve_scu 10.0.0.9 104 PACS --level SERIES --study-uid 1.2.3 --series-uid 1.2.3.4 --structure flat -o in"},
		Exits: retrieveExits(),
	}
}
