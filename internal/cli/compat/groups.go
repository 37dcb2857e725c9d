package compat

import (
	"errors"
	"strings"
	"time"

	"gantry/internal/cli/verb"
)

func help(short string) Flag {
	return Flag{Names: names(short), Help: "print this help", Set: func([]string) error { return errHelp }}
}

func version() Flag {
	return Flag{Names: names("--version"), Help: "print the version", Set: func([]string) error { return errVersion }}
}

// calls are the arguments <peer> <port>.
func calls(p *verb.Peer, most int, rest *[]string) func([]string) error {
	return func(args []string) error {
		if len(args) < 2 {
			return errors.New("peer and port are wanted")
		}
		if most >= 0 && len(args) > 2+most {
			return errors.New("too many arguments: " + strings.Join(args[2+most:], " "))
		}
		if rest != nil {
			*rest = append(*rest, args[2:]...)
		}
		return p.At(args[0], args[1])
	}
}

// calls3 are the arguments <host> <port> <called_ae>.
func calls3(p *verb.Peer) func([]string) error {
	return func(args []string) error {
		if len(args) != 3 {
			return errors.New("host, port and called AE title are wanted")
		}
		if err := title(&p.Called)(args[2:]); err != nil {
			return err
		}
		return p.At(args[0], args[1])
	}
}

// described are the options that the tools with "peer port" share.
func described(c *verb.Common, p *verb.Peer, calling string, connect time.Duration) []Group {
	c.Form = verb.Described
	p.Called, p.Calling, p.MaxPDU = "ANY-SCP", calling, 16384
	p.Connect, p.Associate, p.Respond = connect, connect, -1
	return []Group{
		{"General", []Flag{
			help("-h/--help"), version(),
			{Names: names("-v/--verbose"), Help: "say what is being done", Set: to(&c.Say, verb.Verbose)},
			{Names: names("-d/--debug"), Help: "say more", Set: to(&c.Say, verb.Debug)},
			{Names: names("-q/--quiet"), Help: "say nothing but results", Set: to(&c.Say, verb.Quiet)},
		}},
		{"Network", []Flag{
			{Names: names("-aet/--aetitle/--calling-ae"), Params: names("title"), Help: "our AE title (default " + calling + ")", Set: title(&p.Calling)},
			{Names: names("-aec/--call/--called-ae"), Params: names("title"), Help: "the peer's AE title (default ANY-SCP)", Set: title(&p.Called)},
			{Names: names("-to/--timeout"), Params: names("seconds"), Help: "time for the connection", Set: wait(&p.Connect, time.Second)},
			{Names: names("-ta/--acse-timeout"), Params: names("seconds"), Help: "time for the association", Set: wait(&p.Associate, time.Second)},
			{Names: names("-td/--dimse-timeout"), Params: names("seconds"), Help: "time for a response, 0 is no limit", Set: wait(&p.Respond, time.Second)},
		}},
		tlsGroup(p),
	}
}

// tlsGroup are the TLS options of the described tools.
func tlsGroup(p *verb.Peer) Group {
	on := func(f func([]string) error) func([]string) error { return both(to(&p.TLS, true), f) }
	return Group{"TLS", []Flag{
		{Names: names("--tls"), Help: "use TLS", Set: to(&p.TLS, true)},
		{Names: names("--tls-cert"), Params: names("file"), Help: "our certificate, PEM", Set: on(text(&p.Secure.Cert))},
		{Names: names("--tls-key"), Params: names("file"), Help: "its private key, PEM", Set: on(text(&p.Secure.Key))},
		{Names: names("--tls-ca"), Params: names("file"), Help: "who signs the peer's certificate, PEM", Set: on(text(&p.Secure.CA))},
		{Names: names("--tls-no-verify"), Help: "believe any certificate", Set: on(to(&p.Secure.NoVerify, true))},
		{Names: names("--tls-version"), Params: names("1.2|1.3"), Help: "oldest version (default 1.2)", Set: on(oneOf(&p.Secure.MinVersion, "1.2", "1.3"))},
	}}
}

// general are DCMTK's general options.
func general(c *verb.Common) Group {
	c.Form = verb.DCMTK
	return Group{"General options", []Flag{
		help("-h/--help"), version(),
		{Names: names("--arguments"), Always: "a command file is expanded as it is, without printing it"},
		{Names: names("-q/--quiet"), Help: "no warnings and errors", Set: to(&c.Say, verb.Quiet)},
		{Names: names("-v/--verbose"), Help: "say what is being done", Set: to(&c.Say, verb.Verbose)},
		{Names: names("-d/--debug"), Help: "say more", Set: to(&c.Say, verb.Debug)},
		{Names: names("-ll/--log-level"), Params: names("level"), Help: "fatal, error, warn, info, debug or trace", Set: logLevel(&c.Say)},
		{Names: names("-lc/--log-config"), Params: names("file"), Refuse: "messages go to standard error; choose their level by -ll"},
	}}
}

func logLevel(p *verb.Level) func([]string) error {
	return func(v []string) error {
		switch strings.ToLower(v[0]) {
		case "fatal", "error":
			*p = verb.Quiet
		case "warn":
			*p = verb.Normal
		case "info":
			*p = verb.Verbose
		case "debug", "trace":
			*p = verb.Debug
		default:
			return errors.New("want fatal, error, warn, info, debug or trace")
		}
		return nil
	}
}

// titles are DCMTK's AE titles.
func titles(p *verb.Peer, calling string) []Flag {
	p.Called, p.Calling = "ANY-SCP", calling
	return []Flag{
		{Names: names("-aet/--aetitle"), Params: names("title"), Help: "our AE title (default " + calling + ")", Set: title(&p.Calling)},
		{Names: names("-aec/--call"), Params: names("title"), Help: "the peer's AE title (default ANY-SCP)", Set: title(&p.Called)},
	}
}

// waits are DCMTK's times and sizes of a caller.
func waits(p *verb.Peer) []Flag {
	p.Connect, p.Associate, p.Respond, p.Socket, p.MaxPDU = -1, 30*time.Second, -1, time.Minute, 16384
	return []Flag{
		{Names: names("-to/--timeout"), Params: names("seconds"), Help: "time for the connection", Set: wait(&p.Connect, time.Second)},
		{Names: names("-ts/--socket-timeout"), Params: names("seconds"), Help: "time for the peer to give or take bytes (default 60)", Set: wait(&p.Socket, time.Second)},
		{Names: names("-ta/--acse-timeout"), Params: names("seconds"), Help: "time for the association (default 30)", Set: wait(&p.Associate, time.Second)},
		{Names: names("-td/--dimse-timeout"), Params: names("seconds"), Help: "time for a response", Set: wait(&p.Respond, time.Second)},
		{Names: names("-pdu/--max-pdu"), Params: names("bytes"), Help: "longest PDU to receive (default 16384)", Set: number(&p.MaxPDU, 4096, 131072)},
	}
}

const (
	useBCP195 = "every connection uses the BCP 195 profile (RFC 9325)"
	noCRL     = "revocation lists are not checked: leave revoked signers out of the trusted certificates"
)

// secure are DCMTK's TLS options of a caller.
func secure(p *verb.Peer) Group {
	return Group{"Transport layer security (TLS) options", []Flag{
		{Names: names("-tls/--disable-tls"), Help: "no TLS (default)", Same: true, Set: to(&p.TLS, false)},
		{Names: names("+tls/--enable-tls"), Params: names("key/cert"), Help: "use TLS with a private key and a certificate, PEM",
			Set: func(v []string) error { p.TLS, p.Secure.Key, p.Secure.Cert = true, v[0], v[1]; return nil }},
		{Names: names("+tla/--anonymous-tls"), Help: "use TLS without a certificate", Set: to(&p.TLS, true)},
		{Names: names("+ps/--std-passwd"), Refuse: "keys are read without a password: openssl pkey -in key.pem -out plain.pem"},
		{Names: names("+pw/--use-passwd"), Params: names("password"), Refuse: "keys are read without a password: openssl pkey -in key.pem -out plain.pem"},
		{Names: names("-pw/--null-passwd"), Always: "keys are read without a password"},
		{Names: names("-pem/--pem-keys"), Always: "files are PEM"},
		{Names: names("-der/--der-keys"), Refuse: "files are PEM: openssl x509 -inform DER -in cert.der -out cert.pem"},
		{Names: names("+cf/--add-cert-file"), Params: names("file"), Help: "certificates to trust, PEM", Set: more(&p.MoreCAs)},
		{Names: names("+cd/--add-cert-dir"), Params: names("dir"), Help: "trust all certificates (*.pem, *.crt, *.cer) in a folder", Set: certDir(&p.MoreCAs)},
		{Names: names("+crl/--add-crl-file"), Params: names("file"), Refuse: noCRL},
		{Names: names("+crv/--enable-crl-vfy"), Refuse: noCRL},
		{Names: names("+cra/--enable-crl-all"), Refuse: noCRL},
		{Names: names("+py/--profile-bcp195-nd"), Always: useBCP195},
		{Names: names("+px/--profile-bcp195"), Always: useBCP195},
		{Names: names("+pz/--profile-bcp195-ex"), Always: useBCP195},
		{Names: names("+pa/--profile-aes"), Refuse: "retired; " + useBCP195},
		{Names: names("+pn/--profile-null"), Refuse: "unencrypted TLS is not offered; " + useBCP195},
		{Names: names("+cc/--list-ciphers"), Refuse: "the ciphersuites are those of RFC 9325"},
		{Names: names("+cs/--cipher"), Params: names("name"), Refuse: "the ciphersuites are those of RFC 9325"},
		{Names: names("+rs/--seed"), Params: names("file"), Always: "the system's random numbers need no seed"},
		{Names: names("+ws/--write-seed"), Always: "the system's random numbers need no seed"},
		{Names: names("+wf/--write-seed-file"), Params: names("file"), Refuse: "there is no seed to write"},
		{Names: names("-rc/--require-peer-cert"), Help: "verify the peer's certificate (default)", Same: true, Set: to(&p.Secure.NoVerify, false)},
		{Names: names("-ic/--ignore-peer-cert"), Help: "believe any certificate", Set: to(&p.Secure.NoVerify, true)},
		{Names: names("+vc/--verify-cert"), Params: names("file"), Refuse: "openssl verify -CAfile ca.pem cert.pem"},
		{Names: names("+rc/--is-root-cert"), Params: names("file"), Refuse: "openssl x509 -in cert.pem -noout -issuer -subject"},
	}}
}
