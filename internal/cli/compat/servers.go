package compat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

// serverExits are the exit codes of the described servers; their --help is 1 as well.
func serverExits() []Exit {
	return []Exit{
		{0, "stopped in order", []verb.Outcome{verb.Done, verb.Nothing}},
		{1, "failed, or wrong arguments", []verb.Outcome{verb.Failed, verb.Partial, verb.Usage, verb.Connect, verb.NoInput, verb.Output}},
	}
}

// serves are the arguments <port> <ae_title>, which may be given as options.
func serves(o *verb.Listen) func([]string) error {
	return func(args []string) error {
		if len(args) > 0 && o.PortText == "" {
			o.PortText, args = args[0], args[1:]
		}
		if len(args) > 0 && o.Title == "" {
			o.Title, args = args[0], args[1:]
		}
		if len(args) > 0 {
			return errors.New("too many arguments: " + strings.Join(args, " "))
		}
		if o.PortText == "" || o.Title == "" {
			return errors.New("port and AE title are wanted")
		}
		return o.At(o.PortText, o.Title)
	}
}

// listening are the options that the described servers share.
func listening(o *verb.Listen, name string) Group {
	o.Form, o.Name, o.MaxAssoc, o.Idle, o.MaxPDU = verb.Described, name, 10, 5*time.Minute, 1<<17
	return Group{"Server", []Flag{
		{Names: names("--port"), Params: names("port"), Help: "port to listen on, instead of the argument", Set: text(&o.PortText)},
		{Names: names("--ae-title"), Params: names("title"), Help: "our AE title, instead of the argument", Set: title(&o.Title)},
		{Names: names("--max-assoc"), Params: names("n"), Help: "associations at a time (default 10)", Set: number(&o.MaxAssoc, 1, 100_000)},
		{Names: names("--timeout"), Params: names("seconds"), Help: "end an association without work after this (default 300, 0 is never)", Set: wait(&o.Idle, time.Second)},
		{Names: names("--bind"), Params: names("address"), Help: "listen on this address only", Set: text(&o.Bind)},
		{Names: names("--accept-ae"), Params: names("pattern"), Help: "serve only these callers, * and ? allowed; may be repeated", Set: more(&o.AcceptAE)},
		{Names: names("--verbose/-v"), Help: "log what is done", Set: to(&o.Say, verb.Verbose)},
		help("--help/-h"),
	}}
}

// serverTLS are the TLS options of the described servers.
func serverTLS(o *verb.Listen) Group {
	on := func(f func([]string) error) func([]string) error { return both(to(&o.TLS, true), f) }
	return Group{"TLS", []Flag{
		{Names: names("--tls-cert"), Params: names("file"), Help: "our certificate, PEM", Set: on(text(&o.Secure.Cert))},
		{Names: names("--tls-key"), Params: names("file"), Help: "its private key, PEM", Set: on(text(&o.Secure.Key))},
		{Names: names("--tls-ca"), Params: names("file"), Help: "refuse callers without a certificate signed by this, PEM", Set: on(both(text(&o.Secure.CA), to(&o.Secure.RequireClientCert, true)))},
		{Names: names("--tls-version"), Params: names("1.2|1.3"), Help: "oldest version (default 1.2)", Set: on(oneOf(&o.Secure.MinVersion, "1.2", "1.3"))},
	}}
}

func echoSCP() *Program {
	o := new(verb.EchoServer)
	return &Program{
		Name: "echo_scp", Purpose: "answer C-ECHO", Usage: "<port> <ae_title> [options]", HelpExit: 1,
		Options: o,
		Args:    serves(&o.Listen), Run: o.Run, Exits: serverExits(),
		Groups:   []Group{listening(&o.Listen, "echo_scp"), serverTLS(&o.Listen)},
		Examples: []string{"echo_scp 11112 ECHO", "echo_scp --port 11112 --ae-title ECHO --max-assoc 50", "echo_scp 11112 ECHO --bind 127.0.0.1 --accept-ae 'CT*'"},
	}
}

func secureEchoSCP() *Program {
	o := new(verb.EchoServer)
	o.TLS = true
	listen := listening(&o.Listen, "secure_echo_scp")
	listen.Flags = append(listen.Flags,
		Flag{Names: names("--cert"), Params: names("file"), Help: "our certificate, PEM (required; gantry cert makes one)", Set: text(&o.Secure.Cert)},
		Flag{Names: names("--key"), Params: names("file"), Help: "its private key, PEM (required)", Set: text(&o.Secure.Key)},
		Flag{Names: names("--ca"), Params: names("file"), Help: "verify callers by this, PEM", Set: both(text(&o.Secure.CA), to(&o.Secure.RequireClientCert, true))},
		Flag{Names: names("--no-verify"), Help: "do not verify callers (default without --ca)", Same: true, Set: both(to(&o.Secure.CA, ""), to(&o.Secure.RequireClientCert, false))},
		Flag{Names: names("--tls-version"), Params: names("1.2|1.3"), Help: "oldest version (default 1.2)", Set: oneOf(&o.Secure.MinVersion, "1.2", "1.3")})
	positional := serves(&o.Listen)
	return &Program{
		Name: "secure_echo_scp", Purpose: "answer C-ECHO over TLS", Usage: "<port> <ae_title> --cert <file> --key <file> [options]", HelpExit: 1,
		Options: o,
		Args: func(args []string) error {
			if o.Secure.Cert == "" || o.Secure.Key == "" {
				return errors.New("--cert and --key are wanted; gantry cert makes them")
			}
			return positional(args)
		},
		Run: o.Run, Exits: serverExits(), Groups: []Group{listen},
		Examples: []string{"secure_echo_scp 2762 ECHO --cert certs/server.pem --key certs/server.key", "secure_echo_scp 2762 ECHO --cert s.pem --key s.key --ca certs/ca.pem",
			"secure_echo_scp 2762 ECHO --cert s.pem --key s.key --tls-version 1.3"},
	}
}

// modalities are what --accept knows.
func modality(name string) ([]uid.UID, bool) {
	switch name {
	case "CT":
		return []uid.UID{uid.CTImageStorage, uid.EnhancedCTImageStorage}, true
	case "MR":
		return []uid.UID{uid.MRImageStorage, uid.EnhancedMRImageStorage}, true
	case "US":
		return []uid.UID{uid.UltrasoundImageStorage, uid.UltrasoundMultiFrameImageStorage}, true
	case "CR":
		return []uid.UID{uid.ComputedRadiographyImageStorage}, true
	case "DX":
		return []uid.UID{uid.DigitalXRayImageStorageForPresentation, uid.DigitalXRayImageStorageForProcessing}, true
	case "XR":
		return []uid.UID{uid.XRayAngiographicImageStorage, uid.XRayRadiofluoroscopicImageStorage}, true
	case "NM":
		return []uid.UID{uid.NuclearMedicineImageStorage}, true
	case "PT":
		return []uid.UID{uid.PositronEmissionTomographyImageStorage, uid.EnhancedPETImageStorage}, true
	case "SC":
		return []uid.UID{uid.SecondaryCaptureImageStorage}, true
	case "SR":
		return []uid.UID{uid.BasicTextSRStorage, uid.EnhancedSRStorage, uid.ComprehensiveSRStorage}, true
	}
	return nil, false
}

func acceptModalities(p *[]uid.UID) func([]string) error {
	return func(v []string) error {
		for name := range strings.SplitSeq(v[0], ",") {
			classes, ok := modality(strings.ToUpper(strings.TrimSpace(name)))
			if !ok {
				return fmt.Errorf("%q: want a list of CT, MR, US, XR, CR, DX, NM, PT, SC, SR", name)
			}
			*p = append(*p, classes...)
		}
		slices.Sort(*p)
		*p = slices.Compact(*p)
		return nil
	}
}

// viewerTitle is the viewer's AE title when none is set.
const viewerTitle = "DRDCM"

func storeSCP() *Program {
	o := new(verb.StoreServer)
	o.Folder.Naming, o.Folder.Twice, o.KnownOnly = verb.BySeries, verb.Reject, true
	listen := listening(&o.Listen, "store_scp")
	positional := serves(&o.Listen)
	return &Program{
		Name: "store_scp", Purpose: "receive objects (C-STORE) and keep them as files", Usage: "<port> <ae_title> --storage-dir <path> [options]", HelpExit: 1,
		Options: o,
		Args: func(args []string) error {
			if o.Folder.Dir == "" {
				return errors.New("--storage-dir is missing")
			}
			if o.Folder.Naming == verb.ByViewer && len(args) == 2 && strings.TrimSpace(args[1]) == "" {
				args[1] = viewerTitle
			}
			return positional(args)
		},
		Run: o.Run, Exits: serverExits(),
		Groups: []Group{listen, {"Storage", []Flag{
			{Names: names("--storage-dir"), Params: names("folder"), Help: "where objects are kept (required)", Set: text(&o.Folder.Dir)},
			{Names: names("--index-db"), Params: names("file"), Help: "index what is kept, as qr_scp --index-db reads it", Set: text(&o.Index)},
			{Names: names("--accept"), Params: names("modalities"), Help: "only these, a list of CT, MR, US, XR, CR, DX, NM, PT, SC, SR (default: all storage classes)", Set: acceptModalities(&o.Classes)},
			{Names: names("--naming"), Params: names("naming"), Help: "hierarchical (study/series/SOP.dcm, default), date (YYYY/MM/DD/study/SOP.dcm), flat, or viewer (YYYYMM/datetime_accession/prefix_SOP.dcm; a blank AE title is DRDCM then)", Set: namedBy(&o.Folder)},
			{Names: names("--duplicate"), Params: names("policy"), Help: "reject (default), replace or ignore", Set: duplicates(&o.Folder)},
		}}, serverTLS(&o.Listen)},
		Examples: []string{"store_scp 11112 STORE --storage-dir in", "store_scp 11112 STORE --storage-dir in --accept CT,MR --naming date --duplicate replace",
			"store_scp 11112 STORE --storage-dir in --index-db in.db --bind 127.0.0.1"},
	}
}

func duplicates(f *verb.Folder) func([]string) error {
	return func(v []string) error {
		switch v[0] {
		case "reject":
			f.Twice = verb.Reject
		case "replace":
			f.Twice = verb.Replace
		case "ignore":
			f.Twice = verb.Keep
		default:
			return errors.New("want reject, replace or ignore")
		}
		return nil
	}
}

func qrSCP() *Program {
	o := new(verb.QRServer)
	listen := listening(&o.Listen, "qr_scp")
	positional := serves(&o.Listen)
	return &Program{
		Name: "qr_scp", Purpose: "answer queries and retrievals from a folder of files", Usage: "<port> <ae_title> --storage-dir <path> [options]", HelpExit: 1,
		Options: o,
		Args: func(args []string) error {
			if o.Dir == "" {
				return errors.New("--storage-dir is missing")
			}
			return positional(args)
		},
		Run: o.Run, Exits: serverExits(),
		Groups: []Group{listen, {"Objects", []Flag{
			{Names: names("--storage-dir"), Params: names("folder"), Help: "folder of the objects, which must exist (required)", Set: text(&o.Dir)},
			{Names: names("--index-db"), Params: names("file"), Help: "keep the index in a file (default: in memory)", Set: text(&o.Index)},
			{Names: names("--peer"), Params: names("peer"), Help: "AE:host:port that C-MOVE may send to; may be repeated", Set: o.AddPeer},
			{Names: names("--scan-only"), Help: "read the folder and end", Set: to(&o.ScanOnly, true)},
		}}, serverTLS(&o.Listen)},
		Examples: []string{"qr_scp 11112 QR --storage-dir study", "qr_scp 11112 QR --storage-dir study --peer WS:10.0.0.5:11113", "qr_scp 11112 QR --storage-dir study --index-db study.db --scan-only"},
	}
}
