package compat

import (
	"errors"
	"time"

	"gantry/internal/cli/verb"
)

// onPort takes the one argument of DCMTK's storage servers.
func onPort(o *verb.Listen) func([]string) error {
	return func(args []string) error {
		switch len(args) {
		case 0:
			return errors.New("port is wanted")
		case 1:
			return o.At(args[0], o.Title)
		}
		return errors.New("too many arguments")
	}
}

// narrow are the options that no server of DCMTK's has.
func narrow(o *verb.Listen) Group {
	return Group{"Of Gantry", []Flag{
		{Names: names("--bind"), Params: names("address"), Help: "listen on this address only", Set: text(&o.Bind)},
		{Names: names("--accept-ae"), Params: names("pattern"), Help: "serve only these callers, * and ? allowed; may be repeated", Set: more(&o.AcceptAE)},
	}}
}

// secureServer are DCMTK's TLS options of a server.
func secureServer(o *verb.Listen) Group {
	g := secure(new(verb.Peer))
	set := func(name string, f func([]string) error, same bool) {
		for i := range g.Flags {
			if g.Flags[i].Names[0] == name {
				g.Flags[i].Set, g.Flags[i].Same = f, same
			}
		}
	}
	set("-tls", to(&o.TLS, false), true)
	set("+tls", func(v []string) error {
		o.TLS, o.Secure.Key, o.Secure.Cert = true, v[0], v[1]
		if o.Callers == 0 {
			o.Callers = verb.CertsRequired
		}
		return nil
	}, false)
	set("+cf", func(v []string) error {
		if o.Secure.CA != "" {
			return errors.New("put all certificates to trust into one file")
		}
		o.Secure.CA = v[0]
		return nil
	}, false)
	set("-rc", to(&o.Callers, verb.CertsRequired), false)
	set("-ic", to(&o.Callers, verb.CertsIgnored), false)
	var out []Flag
	for _, f := range g.Flags {
		switch f.Names[0] {
		case "+tla", "+vc", "+rc":
			continue
		case "+cd":
			f = Flag{Names: f.Names, Params: f.Params, Refuse: "put all certificates to trust into one file and name it by +cf"}
		case "-rc":
			f.Help = "refuse callers without a certificate (default)"
		}
		out = append(out, f)
	}
	out = append(out,
		Flag{Names: names("+dp/--dhparam"), Params: names("file"), Always: "the ciphersuites use elliptic curves"},
		Flag{Names: names("-vc/--verify-peer-cert"), Help: "verify the certificate of callers that have one", Set: to(&o.Callers, verb.CertsIfGiven)})
	g.Flags = out
	return g
}

// serverWaits are the times and sizes of DCMTK's servers.
func serverWaits(o *verb.Listen, name, ae string) []Flag {
	o.Name, o.Title, o.AnyCalled, o.MaxPDU, o.Associate, o.Idle = name, ae, true, 16384, 30*time.Second, -1
	return []Flag{
		{Names: names("-ta/--acse-timeout"), Params: names("seconds"), Help: "time for an association (default 30)", Set: wait(&o.Associate, time.Second)},
		{Names: names("-td/--dimse-timeout"), Params: names("seconds"), Help: "end an association without work after this", Set: wait(&o.Idle, time.Second)},
		{Names: names("-aet/--aetitle"), Params: names("title"), Help: "our AE title (default " + ae + ")", Set: title(&o.Title)},
		{Names: names("-pdu/--max-pdu"), Params: names("bytes"), Help: "longest PDU to receive (default 16384)", Set: number(&o.MaxPDU, 4096, 131072)},
		{Names: names("-dhl/--disable-host-lookup"), Always: "addresses are not looked up"},
	}
}

const (
	noFaults   = "faults on purpose are left to test peers: see the Go package dicomtest"
	noRenames  = "files are named by SOP Instance UID, so that an object sent again is found again"
	perStudy   = "commands run for each object: see -xcr"
	oneProcess = "one process serves many associations at a time"
	useX       = "use the +x options"
)

func storescp() *Program {
	o := new(verb.StoreServer)
	o.Folder.Dir, o.Folder.MustExist, o.Folder.Naming, o.Folder.Extension, o.Folder.Twice = ".", true, verb.ByModality, "-", verb.Replace
	o.KnownOnly = true
	p := &Program{
		Name: "storescp", DCMTK: true, Purpose: "DICOM storage (C-STORE) SCP", Usage: "[options] port",
		Options: o, Args: onPort(&o.Listen), Run: o.Run, Exits: serverExits(),
		Groups: []Group{
			general(&o.Common),
			{"Processes", []Flag{
				{Names: names("--single-process"), Always: oneProcess},
				{Names: names("--fork"), Always: oneProcess},
				{Names: names("-id/--inetd"), Refuse: "run it as a service of its own"},
			}},
			{"Preferred transfer syntaxes", append(preferences(&o.Syntaxes, &o.OnlySyntaxes),
				Flag{Names: names("+xa/--accept-all"), Help: "accept what the caller proposes first (default)", Same: true, Set: to(&o.Syntaxes, nil)},
				Flag{Names: names("-xf/--config-file"), Params: names("file/profile"), Refuse: useX})},
			{"Network options", append(serverWaits(&o.Listen, "storescp", "STORESCP"),
				Flag{Names: names("-ts/--socket-timeout"), Params: names("seconds"), Help: "time for the peer to give or take bytes", Set: wait(&o.Socket, time.Second)},
				Flag{Names: names("-ac/--access-full"), Always: "any host may call; see --accept-ae"},
				Flag{Names: names("+ac/--access-control"), Refuse: noWrappers},
				Flag{Names: names("--refuse"), Help: "refuse every association", Set: to(&o.Refuse, true)},
				Flag{Names: names("--reject"), Help: "refuse callers without an implementation class UID", Set: to(&o.RefuseNoUID, true)},
				Flag{Names: names("--ignore"), Help: "receive and keep nothing", Set: to(&o.Folder.Ignore, true)},
				Flag{Names: names("--sleep-after"), Params: names("seconds"), Help: "wait before each response", Set: delay(&o.SleepAfter, time.Second)},
				Flag{Names: names("--sleep-during"), Params: names("seconds"), Help: "wait before each object is read", Set: delay(&o.SleepDuring, time.Second)},
				Flag{Names: names("--abort-after"), Refuse: noFaults},
				Flag{Names: names("--abort-during"), Refuse: noFaults},
				Flag{Names: names("-pm/--promiscuous"), Help: "accept storage classes that the standard does not have", Set: to(&o.KnownOnly, false)},
				Flag{Names: names("-up/--uid-padding"), Always: "padding of UIDs is left out"})},
			secureServer(&o.Listen),
			{"Output options", append(writing(&o.Folder),
				Flag{Names: names("-od/--output-directory"), Params: names("folder"), Help: "existing folder for objects (default .)", Set: text(&o.Folder.Dir)},
				Flag{Names: names("-uc/--retain-un"), Always: asReceived},
				Flag{Names: names("+uc/--convert-un"), Refuse: asReceived},
				Flag{Names: names("-ss/--sort-conc-studies"), Params: names("prefix"), Refuse: "use -su"},
				Flag{Names: names("-su/--sort-on-study-uid"), Params: names("prefix"), Help: "a folder for each study: prefix and Study Instance UID", Set: sortBy(&o.Folder)},
				Flag{Names: names("-sp/--sort-on-patientname"), Refuse: "names of patients do not go into names of folders; use -su"},
				Flag{Names: names("-uf/--default-filenames"), Always: noRenames},
				Flag{Names: names("+uf/--unique-filenames"), Refuse: noRenames},
				Flag{Names: names("-tn/--timenames"), Refuse: noRenames},
				Flag{Names: names("-fe/--filename-extension"), Params: names("extension"), Help: "append to all file names", Set: extension(&o.Folder)})},
			{"Event options", []Flag{
				{Names: names("-xcr/--exec-on-reception"), Params: names("command"), Help: "run for each object: #p folder, #f file, #a caller, #c called, #r address; without a shell", Set: text(&o.Exec)},
				{Names: names("-xs/--exec-sync"), Help: "wait for the command", Set: to(&o.ExecSync, true)},
				{Names: names("-xcs/--exec-on-eostudy"), Params: names("command"), Refuse: perStudy},
				{Names: names("-rns/--rename-on-eostudy"), Refuse: noRenames},
				{Names: names("-tos/--eostudy-timeout"), Params: names("seconds"), Refuse: perStudy},
			}},
			narrow(&o.Listen),
		},
		Examples: []string{"storescp 11112", "storescp -v -aet STORE -od in +xs 11112", "storescp --bind 127.0.0.1 -fe .dcm -xcr 'logger #f' 11112"},
	}
	p.Groups[0].Flags = append(p.Groups[0].Flags, contextsShown())
	return p
}

// extension sets what file names end in.
func extension(f *verb.Folder) func([]string) error {
	return func(v []string) error {
		if err := plainName(v[0]); err != nil {
			return err
		}
		f.Extension = v[0]
		return nil
	}
}

// sortBy makes a folder for each study.
func sortBy(f *verb.Folder) func([]string) error {
	return func(v []string) error {
		if err := plainName(v[0]); err != nil {
			return err
		}
		f.StudyPrefix, f.ByStudy = v[0], true
		return nil
	}
}

// plainName refuses what would leave the folder.
func plainName(s string) error {
	for _, c := range s {
		if c == '/' || c == '\\' || c < ' ' {
			return errors.New("must not have a separator in it")
		}
	}
	return nil
}

func dcmrecv() *Program {
	o := new(verb.StoreServer)
	o.Folder.Dir, o.Folder.MustExist, o.Folder.Naming, o.Folder.Extension, o.Folder.Twice = ".", true, verb.ByModality, "-", verb.Replace
	p := &Program{
		Name: "dcmrecv", DCMTK: true, Purpose: "simple DICOM storage SCP (receiver)", Usage: "[options] port",
		Options: o, Args: onPort(&o.Listen), Run: o.Run, Exits: serverExits(),
		Groups: []Group{
			general(&o.Common),
			{"Network options", append(serverWaits(&o.Listen, "dcmrecv", "DCMRECV"),
				Flag{Names: names("-uca/--use-called-aetitle"), Always: "any called AE title is answered to"},
				Flag{Names: names("-xf/--config-file"), Params: names("file/profile"), Refuse: "every storage class and transfer syntax is accepted"})},
			secureServer(&o.Listen),
			{"Output options", []Flag{
				{Names: names("-od/--output-directory"), Params: names("folder"), Help: "existing folder for objects (default .)", Set: text(&o.Folder.Dir)},
				{Names: names("-s/--no-subdir"), Always: "no folders are made"},
				{Names: names("+ssd/--series-date-subdir"), Refuse: "store_scp --naming date sorts by the date of the study"},
				{Names: names("+fd/--default-filenames"), Always: noRenames},
				{Names: names("+fu/--unique-filenames"), Refuse: noRenames},
				{Names: names("+fsu/--short-unique-names"), Refuse: noRenames},
				{Names: names("+fst/--system-time-names"), Refuse: noRenames},
				{Names: names("-fe/--filename-extension"), Params: names("extension"), Help: "append to all file names", Set: extension(&o.Folder)},
				{Names: names("-B/--normal"), Always: asReceived},
				{Names: names("+B/--bit-preserving"), Always: asReceived},
				{Names: names("--ignore"), Help: "receive and keep nothing", Set: to(&o.Folder.Ignore, true)},
			}},
			narrow(&o.Listen),
		},
		Examples: []string{"dcmrecv 11112", "dcmrecv -v -aet STORE -od in 11112", "dcmrecv --bind 127.0.0.1 -fe .dcm 11112"},
	}
	p.Groups[0].Flags = append(p.Groups[0].Flags, contextsShown())
	return p
}
