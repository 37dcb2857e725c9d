package compat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

// odilCommands are the sub-commands of odil, each a program of its own.
var odilCommands = []string{"print", "transcode", "dicomdir", "echo", "find", "get", "store"}

// odilExits are its exit codes. The original ends with 0 when some objects fail; this does
// not.
func odilExits() []Exit {
	return []Exit{
		{0, "done, also when nothing was found", []verb.Outcome{verb.Done, verb.Nothing}},
		{2, "failed, wrong arguments, or no association", []verb.Outcome{verb.Partial, verb.Failed, verb.Usage, verb.Connect, verb.NoInput, verb.Output}},
	}
}

// odil is the name without a sub-command.
func odil() *Program {
	return &Program{
		Name: "odil", Purpose: "DICOM tools", Usage: "{" + strings.Join(odilCommands, ",") + "} ...",
		Options: new(struct{}), Run: func(context.Context, *verb.Stdio) error { return nil },
		Args: func(args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%q is no command: choose from %s", args[0], strings.Join(odilCommands, ", "))
			}
			return errors.New("a command is wanted: " + strings.Join(odilCommands, ", "))
		},
		Groups:   []Group{{"Options", []Flag{help("-h/--help")}}},
		Examples: []string{"odil find --help", "odil print image.dcm", "odil echo localhost 11112 ME PACS"},
		Exits:    odilExits(),
	}
}

// odilOptions are those of every sub-command.
func odilOptions(c *verb.Common, flags ...Flag) Group {
	c.Form = verb.Odil
	return Group{"Options", append([]Flag{
		help("-h/--help"),
		{Names: names("--verbosity/-v"), Params: names("verbosity"), Help: "warning, info or debug (default warning)", Set: func(v []string) error {
			switch v[0] {
			case "warning":
				c.Say = verb.Normal
			case "info":
				c.Say = verb.Verbose
			case "debug":
				c.Say = verb.Debug
			default:
				return fmt.Errorf("%q: want warning, info or debug", v[0])
			}
			return nil
		}},
	}, flags...)}
}

// odilCalls are the arguments host port calling called, and rest.
func odilCalls(p *verb.Peer, rest func([]string) error) func([]string) error {
	p.MaxPDU, p.Associate, p.Respond = 16384, 30*time.Second, 30*time.Second
	return func(args []string) error {
		if len(args) < 4 {
			return errors.New("host, port, calling AE title and called AE title are wanted")
		}
		if err := errors.Join(title(&p.Calling)(args[2:]), title(&p.Called)(args[3:])); err != nil {
			return err
		}
		if err := p.At(args[0], args[1]); err != nil {
			return err
		}
		return rest(args[4:])
	}
}

// several takes at least one argument.
func several(what string, p *[]string) func([]string) error {
	return func(args []string) error {
		if len(args) == 0 {
			return errors.New(what + " are wanted")
		}
		*p = args
		return nil
	}
}

// modelAndKeys are the arguments {patient,study} and keys, each with a value where that is
// wanted.
func modelAndKeys(q *verb.Query, values bool) func([]string) error {
	return func(args []string) error {
		if len(args) < 2 {
			return errors.New("patient or study, and keys are wanted")
		}
		if args[0] != "patient" && args[0] != "study" {
			return fmt.Errorf("%q: want patient or study", args[0])
		}
		q.Model, q.Keys = args[0], args[1:]
		for _, k := range q.Keys {
			if values && !strings.Contains(k, "=") {
				return fmt.Errorf("key %q: want Keyword=value", k)
			}
		}
		return nil
	}
}

func odilEcho() *Program {
	o := &verb.Echo{Repeat: 1}
	return &Program{
		Name: "odil echo", Purpose: "ask a peer whether it is there (C-ECHO)", Usage: "[options] host port calling_ae_title called_ae_title",
		Options: o, Run: o.Run,
		Args: odilCalls(&o.Peer, func(args []string) error {
			if len(args) > 0 {
				return errors.New("too many arguments: " + strings.Join(args, " "))
			}
			return nil
		}),
		Groups:   []Group{odilOptions(&o.Common)},
		Examples: []string{"odil echo localhost 11112 ME PACS", "odil echo -v info 10.0.0.9 104 ME PACS", "odil echo localhost 11112 ME PACS && echo there"},
		Exits:    odilExits(),
	}
}

func odilFind() *Program {
	o := &verb.Find{Layout: "text", NoDefaults: true, Syntaxes: []uid.UID{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian}}
	return &Program{
		Name: "odil find", Purpose: "query a peer (C-FIND)", Usage: "[options] host port calling_ae_title called_ae_title {patient,study} keys...",
		Options: o, Run: o.Run, Args: odilCalls(&o.Peer, modelAndKeys(&o.Query, false)),
		Groups: []Group{odilOptions(&o.Common,
			Flag{Names: names("--decode-uids/-u"), Help: "print the names of known UIDs", Set: to(&o.DecodeUIDs, true)})},
		Examples: []string{"odil find localhost 11112 ME PACS patient QueryRetrieveLevel=PATIENT PatientName=DOE* PatientID",
			"odil find localhost 11112 ME PACS study QueryRetrieveLevel=STUDY StudyDate=20260101- StudyInstanceUID",
			"odil find -u localhost 11112 ME PACS study QueryRetrieveLevel=IMAGE StudyInstanceUID=1.2 SeriesInstanceUID=1.2.3 SOPClassUID"},
		Exits: odilExits(),
	}
}

// recordKeys are the further keys of a DICOMDIR.
func recordKeys(m *verb.Media) []Flag {
	return []Flag{
		{Names: names("--patient-key/-p"), Params: names("record-key"), Help: "further key of PATIENT records, KEYWORD[:TYPE], type 3 without one; may be repeated", Set: more(&m.PatientKeys)},
		{Names: names("--study-key/-S"), Params: names("record-key"), Help: "further key of STUDY records", Set: more(&m.StudyKeys)},
		{Names: names("--series-key/-s"), Params: names("record-key"), Help: "further key of SERIES records", Set: more(&m.SeriesKeys)},
		{Names: names("--image-key/-i"), Params: names("record-key"), Help: "further key of IMAGE records", Set: more(&m.ImageKeys)},
	}
}

func odilGet() *Program {
	little := []uid.UID{uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian}
	o := &verb.Retrieve{Syntaxes: little, Prefer: little}
	o.Folder.Dir, o.Folder.Extension, o.Folder.Twice = ".", "-", verb.Replace
	return &Program{
		Name: "odil get", Purpose: "fetch objects from a peer (C-GET)", Usage: "[options] host port calling_ae_title called_ae_title {patient,study} keys...",
		Options: o, Run: o.Run, Args: odilCalls(&o.Peer, modelAndKeys(&o.Query, true)),
		Groups: []Group{odilOptions(&o.Common, append([]Flag{
			{Names: names("--directory/-d"), Params: names("directory"), Help: "where the files go (default .)", Set: text(&o.Folder.Dir)},
			{Names: names("--iso-9660/-I"), Help: "name files as media want: IM000001 and so on", Set: to(&o.Folder.ISO9660, true)},
			{Names: names("--layout/-l"), Params: names("layout"), Help: "flat, or tree: patient/study/series (default flat)", Set: func(v []string) error {
				switch v[0] {
				case "flat":
					o.Folder.Naming = verb.ByInstance
				case "tree":
					o.Folder.Naming = verb.ByPatient
				default:
					return fmt.Errorf("%q: want flat or tree", v[0])
				}
				return nil
			}},
			{Names: names("--dicomdir/-D"), Help: "write a DICOMDIR of the files; wants --iso-9660", Set: to(&o.Media.Directory, true)},
		}, recordKeys(&o.Media)...)...)},
		Examples: []string{"odil get localhost 11112 ME PACS study QueryRetrieveLevel=STUDY StudyInstanceUID=1.2.3",
			"odil get -d study -l tree localhost 11112 ME PACS patient QueryRetrieveLevel=PATIENT PatientID=4711",
			"odil get -d cd -l tree -I -D -s SeriesDescription localhost 11112 ME PACS study QueryRetrieveLevel=STUDY StudyInstanceUID=1.2.3"},
		Exits: odilExits(),
	}
}

func odilStore() *Program {
	o := &verb.Store{Jobs: 1, Allowed: []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}, Combine: true}
	return &Program{
		Name: "odil store", Purpose: "send files to a peer (C-STORE)", Usage: "[options] host port calling_ae_title called_ae_title filenames...",
		Options: o, Run: o.Run, Args: odilCalls(&o.Peer, several("files", &o.Inputs)),
		Groups:   []Group{odilOptions(&o.Common)},
		Examples: []string{"odil store localhost 11112 ME PACS image.dcm", "odil store -v info 10.0.0.9 104 ME PACS study/*", "odil store localhost 11112 ME PACS a.dcm b.dcm"},
		Exits:    odilExits(),
	}
}

func odilPrint() *Program {
	o := &verb.Print{}
	return &Program{
		Name: "odil print", Purpose: "print data sets", Usage: "[options] FILE...",
		Options: o, Run: o.Run, Args: several("files", &o.Files),
		Groups: []Group{odilOptions(&o.Common,
			Flag{Names: names("--print-header/-H"), Help: "print the file meta information too", Set: to(&o.Header, true)},
			Flag{Names: names("--decode-uids/-u"), Help: "print the names of known UIDs", Set: to(&o.DecodeUIDs, true)})},
		Examples: []string{"odil print image.dcm", "odil print -H -u image.dcm", "odil print DICOMDIR"},
		Exits:    odilExits(),
	}
}

func odilTranscode() *Program {
	o := &verb.Transcode{Format: "binary"}
	return &Program{
		Name: "odil transcode", Purpose: "change the transfer syntax or the format of a file", Usage: "[options] input output",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if len(args) != 2 {
				return errors.New("input and output are wanted")
			}
			o.In, o.Out = args[0], args[1]
			return nil
		},
		Groups: []Group{odilOptions(&o.Common,
			Flag{Names: names("--format/-f"), Params: names("binary|json|xml"), Help: "format of the output (default binary)", Set: oneOf(&o.Format, "binary", "json", "xml")},
			Flag{Names: names("--transfer-syntax/-t"), Params: names("keyword"), Help: "transfer syntax of a binary output", Set: text(&o.Syntax)},
			Flag{Names: names("--pretty-print/-p"), Help: "JSON and XML in lines", Set: to(&o.Pretty, true)})},
		Examples: []string{"odil transcode -t ExplicitVRLittleEndian in.dcm out.dcm", "odil transcode -f json -p in.dcm out.json", "odil transcode -f xml in.dcm out.xml"},
		Exits:    odilExits(),
	}
}

func odilDicomdir() *Program {
	o := &verb.DICOMDIR{}
	return &Program{
		Name: "odil dicomdir", Purpose: "make the DICOMDIR of files", Usage: "[options] name... directory",
		Options: o, Run: o.Run,
		Args: func(args []string) error {
			if len(args) < 2 {
				return errors.New("names of files or folders, and the folder of the DICOMDIR are wanted")
			}
			o.Inputs, o.Dir = args[:len(args)-1], args[len(args)-1]
			return nil
		},
		Groups:   []Group{odilOptions(&o.Common, recordKeys(&o.Media)...)},
		Examples: []string{"odil dicomdir IMAGES .", "odil dicomdir -s SeriesDescription -i SOPClassUID:1 /media/cd/IMAGES /media/cd", "odil dicomdir A B C . && odil print DICOMDIR"},
		Exits:    odilExits(),
	}
}
