package compat

import (
	"time"

	"gantry/internal/cli/verb"
)

func echoSCU() *Program {
	o := &verb.Echo{Repeat: 1}
	groups := described(&o.Common, &o.Peer, "ECHOSCU", 30*time.Second)
	return &Program{
		Name: "echo_scu", Purpose: "ask a peer whether it is there (C-ECHO)", Usage: "[options] <peer> <port>",
		Options: o, Args: calls(&o.Peer, 0, nil), Run: o.Run,
		Groups: append(groups, Group{"Repeating", []Flag{
			{Names: names("-r/--repeat"), Params: names("count"), Help: "how often to ask (default 1)", Set: number(&o.Repeat, 1, 1<<31)},
			{Names: names("--repeat-delay"), Params: names("ms"), Help: "pause between the questions", Set: delay(&o.Delay, time.Millisecond)},
		}}),
		Examples: []string{"echo_scu localhost 11112", "echo_scu -v -aec PACS 10.0.0.9 104", "echo_scu --repeat 10 --repeat-delay 500 localhost 11112"},
		Exits: []Exit{
			{0, "every echo was answered", []verb.Outcome{verb.Done}},
			{1, "an echo failed, or there was no association", []verb.Outcome{verb.Partial, verb.Failed, verb.Connect, verb.Nothing}},
			{2, "wrong arguments", []verb.Outcome{verb.Usage}},
		},
	}
}

func secureEchoSCU() *Program {
	o := &verb.Echo{Repeat: 1}
	o.Form, o.TLS, o.Calling, o.MaxPDU = verb.Described, true, "SECURE_SCU", 16384
	o.Connect, o.Associate, o.Respond = 30*time.Second, 30*time.Second, 30*time.Second
	return &Program{
		Name: "secure_echo_scu", Purpose: "ask a peer whether it is there (C-ECHO), over TLS", Usage: "<host> <port> <called_ae> [options]",
		Options: o, Args: calls3(&o.Peer), Run: o.Run,
		Groups: []Group{{"Options", []Flag{
			{Names: names("--cert"), Params: names("file"), Help: "our certificate, PEM; --key goes with it", Set: text(&o.Secure.Cert)},
			{Names: names("--key"), Params: names("file"), Help: "its private key, PEM", Set: text(&o.Secure.Key)},
			{Names: names("--ca"), Params: names("file"), Help: "who signs the peer's certificate, PEM", Set: text(&o.Secure.CA)},
			{Names: names("--no-verify"), Help: "believe any certificate", Set: to(&o.Secure.NoVerify, true)},
			{Names: names("--tls-version"), Params: names("1.2|1.3"), Help: "oldest version (default 1.2)", Set: oneOf(&o.Secure.MinVersion, "1.2", "1.3")},
			{Names: names("--calling-ae"), Params: names("title"), Help: "our AE title (default SECURE_SCU)", Set: title(&o.Calling)},
			{Names: names("--timeout"), Params: names("ms"), Help: "time for connection, association and response (default 30000)",
				Set: both(wait(&o.Connect, time.Millisecond), wait(&o.Associate, time.Millisecond), wait(&o.Respond, time.Millisecond))},
			help("-h/--help"),
		}}},
		Examples: []string{"secure_echo_scu localhost 2762 PACS --ca certs/ca.pem", "secure_echo_scu pacs.example 2762 PACS --cert client.pem --key client.key --ca ca.pem",
			"secure_echo_scu localhost 2762 PACS --no-verify --tls-version 1.3"},
		Exits: []Exit{
			{0, "the echo was answered", []verb.Outcome{verb.Done}},
			{1, "failed, or wrong arguments", []verb.Outcome{verb.Partial, verb.Failed, verb.Connect, verb.Usage, verb.Nothing}},
		},
	}
}

func echoscu() *Program {
	o := &verb.Echo{Repeat: 1}
	return &Program{
		Name: "echoscu", DCMTK: true, Purpose: "DICOM verification (C-ECHO) SCU", Usage: "[options] peer port",
		Options: o, Args: calls(&o.Peer, 0, nil), Run: o.Run,
		Groups: []Group{
			general(&o.Common),
			{"Application entity titles", titles(&o.Peer, "ECHOSCU")},
			{"Association negotiation debugging", []Flag{
				{Names: names("-pts/--propose-ts"), Params: names("n"), Help: "propose n transfer syntaxes", Set: number(&o.Syntaxes, 1, 38)},
				{Names: names("-ppc/--propose-pc"), Params: names("n"), Help: "propose n presentation contexts", Set: number(&o.Contexts, 1, 128)},
			}},
			{"Other network options", append(waits(&o.Peer),
				Flag{Names: names("--repeat"), Params: names("n"), Help: "ask n times", Set: number(&o.Repeat, 1, 1<<31)},
				Flag{Names: names("--abort"), Help: "end by A-ABORT", Set: to(&o.Abort, true)})},
			secure(&o.Peer),
		},
		Examples: []string{"echoscu localhost 11112", "echoscu -v -aec PACS 10.0.0.9 104", "echoscu +tla +cf ca.pem pacs.example 2762"},
		Exits: []Exit{
			{0, "every echo was answered", []verb.Outcome{verb.Done}},
			{1, "failed, or wrong arguments", []verb.Outcome{verb.Partial, verb.Failed, verb.Connect, verb.Usage, verb.Nothing}},
		},
	}
}
