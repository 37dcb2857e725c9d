package compat

import (
	"errors"
	"strconv"
	"time"

	"gantry/internal/cli/verb"
)

const (
	asStored = "objects go out in the syntax that they are stored in, uncompressed ones in any uncompressed one"
	charsets = "answers carry the character set of the objects; queries may have any"
)

func dcmqrscp() *Program {
	o := &verb.DCMQRServer{Config: "/etc/dcmtk/dcmqrscp.cfg"}
	o.Name, o.Associate, o.Idle = "dcmqrscp", 30*time.Second, -1
	p := &Program{
		Name: "dcmqrscp", DCMTK: true, Purpose: "DICOM image archive", Usage: "[options] [port]",
		Options: o, Run: o.Run, Exits: serverExits(),
		Args: func(args []string) error {
			if len(args) > 1 {
				return errors.New("too many arguments")
			}
			if len(args) == 1 {
				n, err := strconv.Atoi(args[0])
				if err != nil || n < 1 || n > 65535 {
					return errors.New("port: want a number from 1 to 65535")
				}
				o.Port = n
			}
			return nil
		},
		Groups: []Group{
			general(&o.Common),
			{"Configuration", []Flag{
				{Names: names("-c/--config"), Params: names("file"), Help: "configuration file (default /etc/dcmtk/dcmqrscp.cfg)", Set: text(&o.Config)},
				{Names: names("-s/--single-process"), Always: oneProcess},
				{Names: names("--fork"), Always: oneProcess},
			}},
			{"Database options", []Flag{
				{Names: names("--require-find"), Refuse: "every model is served as a whole"},
				{Names: names("--no-parallel-store"), Refuse: "senders to one AE title do not disturb each other"},
				{Names: names("--disable-get"), Help: "no C-GET", Set: to(&o.DisableGet, true)},
				{Names: names("--allow-shutdown"), Help: "let callers end the server by termscu", Set: to(&o.AllowShutdown, true)},
				{Names: names("-XF/--check-find"), Always: "identifiers are checked"},
				{Names: names("--no-check-find"), Always: "what can be answered is answered"},
				{Names: names("-XM/--check-move"), Always: "identifiers are checked"},
				{Names: names("--no-check-move"), Always: "what can be answered is answered"},
				{Names: names("--move-unrestricted"), Help: "move to all of the HostTable (default)", Same: true, Set: both(to(&o.MoveSameTitle, false), to(&o.MoveSameHost, false))},
				{Names: names("-ZA/--move-aetitle"), Help: "move only to the caller's AE title", Set: to(&o.MoveSameTitle, true)},
				{Names: names("-ZH/--move-host"), Help: "move only to the caller's host", Set: to(&o.MoveSameHost, true)},
				{Names: names("-ZV/--move-vendor"), Refuse: "use -ZA or -ZH"},
				{Names: names("-QP/--no-patient-root"), Help: "no Patient Root model", Set: to(&o.NoPatient, true)},
				{Names: names("-QS/--no-study-root"), Help: "no Study Root model", Set: to(&o.NoStudy, true)},
				{Names: names("-QO/--no-patient-study"), Help: "no Patient/Study Only model", Set: to(&o.NoPatientOnly, true)},
			}},
			{"Preferred transfer syntaxes", append(preferences(&o.Syntaxes, &o.OnlySyntaxes),
				Flag{Names: names("-xf/--assoc-config-file"), Params: names("file/in/out"), Refuse: useX})},
			{"Proposed transfer syntaxes", always(proposals(&o.Syntaxes), asStored)},
			{"Network options", []Flag{
				{Names: names("-ac/--access-full"), Always: "hosts are restricted by the AETable; see --accept-ae"},
				{Names: names("+ac/--access-control"), Refuse: noWrappers},
				{Names: names("-to/--timeout"), Params: names("seconds"), Always: "a destination has 30 seconds to answer"},
				{Names: names("-ta/--acse-timeout"), Params: names("seconds"), Help: "time for an association (default 30)", Set: wait(&o.Associate, time.Second)},
				{Names: names("-td/--dimse-timeout"), Params: names("seconds"), Help: "end an association without work after this", Set: wait(&o.Idle, time.Second)},
				{Names: names("-pdu/--max-pdu"), Params: names("bytes"), Help: "longest PDU to receive (default: the configuration's)", Set: number(&o.PDU, 4096, 131072)},
				{Names: names("-dhl/--disable-host-lookup"), Always: "hosts are looked up only to check peers of the AETable"},
				{Names: names("--refuse"), Help: "refuse every association", Set: to(&o.Refuse, true)},
				{Names: names("--reject"), Help: "refuse callers without an implementation class UID", Set: to(&o.RefuseNoUID, true)},
				{Names: names("--ignore"), Help: "receive and keep nothing", Set: to(&o.Ignore, true)},
				{Names: names("-up/--uid-padding"), Always: "padding of UIDs is left out"},
			}},
			{"Processing options", []Flag{
				{Names: names("+Cr/--use-request-charset"), Refuse: charsets},
				{Names: names("-Cr/--override-charset"), Refuse: charsets},
				{Names: names("+A7/--convert-to-ascii"), Refuse: charsets},
				{Names: names("+U8/--convert-to-utf8"), Refuse: charsets},
				{Names: names("+L1/--convert-to-latin1"), Refuse: charsets},
				{Names: names("+C/--convert-to-charset"), Params: names("charset"), Refuse: charsets},
				{Names: names("-Ct/--transliterate"), Refuse: charsets},
				{Names: names("-Cd/--discard-illegal"), Refuse: charsets},
			}},
			{"Output options", without(writing(new(verb.Folder)), "-F")},
			narrow(&o.Listen),
			secureServerToo(&o.Listen),
		},
		Examples: []string{"dcmqrscp -c dcmqrscp.cfg", "dcmqrscp -v -c dcmqrscp.cfg --disable-get 11112", "dcmqrscp -c dcmqrscp.cfg -ZA --bind 127.0.0.1"},
	}
	out := &p.Groups[7].Flags
	for i := range *out {
		if (*out)[i].Names[0] == "+F" {
			(*out)[i] = Flag{Names: (*out)[i].Names, Always: "files have file meta information"}
		}
	}
	*out = append(*out, Flag{Names: names("-F/--write-dataset"), Refuse: "the archive reads its own files: they have file meta information"})
	return p
}

// always says of flags that they change nothing, and why.
func always(flags []Flag, why string) []Flag {
	for i, f := range flags {
		flags[i] = Flag{Names: f.Names, Params: f.Params, Always: why}
	}
	return flags
}

func termscu() *Program {
	o := new(verb.Term)
	o.MaxPDU, o.Connect, o.Associate = 16384, 30*time.Second, 30*time.Second
	return &Program{
		Name: "termscu", DCMTK: true, Purpose: "DICOM termination SCU: ask a server to end", Usage: "[options] peer port",
		Options: o, Args: calls(&o.Peer, 0, nil), Run: o.Run,
		Groups: []Group{
			general(&o.Common),
			{"Application entity titles", titles(&o.Peer, "TERMSCU")},
			{"Other network options", []Flag{
				{Names: names("-pdu/--max-pdu"), Params: names("bytes"), Help: "longest PDU to receive (default 16384)", Set: number(&o.MaxPDU, 4096, 131072)},
			}},
			secureToo(&o.Peer),
		},
		Examples: []string{"termscu localhost 11112", "termscu -aec QR localhost 11112", "termscu -v -aet ADMIN -aec QR 10.0.0.9 104"},
		Exits: []Exit{
			{0, "the server ends", []verb.Outcome{verb.Done, verb.Nothing}},
			{1, "it does not, or wrong arguments", []verb.Outcome{verb.Failed, verb.Partial, verb.Usage, verb.Connect, verb.NoInput, verb.Output}},
		},
	}
}
