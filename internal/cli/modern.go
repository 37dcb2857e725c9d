package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

// peerFlags are the flags of all that call a peer.
func peerFlags(c *cobra.Command, p *verb.Peer) {
	f := c.Flags()
	f.StringVar(&p.Calling, "calling", "GANTRY", "our AE title")
	f.DurationVar(&p.Associate, "timeout", 30*time.Second, "how long to wait for a connection and an association")
	f.Uint32Var(&p.MaxPDU, "max-pdu", 128<<10, "longest PDU to receive, in bytes; 0 is any")
	f.BoolVar(&p.TLS, "tls", false, "use TLS")
	f.StringVar(&p.Secure.CA, "tls-ca", "", "who signs the peer's certificate, PEM file; the system's authorities without it")
	f.StringVar(&p.Secure.Cert, "tls-cert", "", "our certificate, PEM file")
	f.StringVar(&p.Secure.Key, "tls-key", "", "its private key, PEM file")
	f.StringVar(&p.Secure.MinVersion, "tls-version", "1.2", "oldest TLS version: 1.2 or 1.3")
	f.BoolVar(&p.Secure.NoVerify, "tls-no-verify", false, "believe any certificate")
}

// windowFlag is of those for which an asynchronous operations window is of use.
func windowFlag(c *cobra.Command, p *verb.Peer, what string) {
	c.Flags().IntVar(&p.Window, "window", 1, what+" at a time on one association, if the peer negotiates that")
}

const peerHelp = `PEER is AE@host:port, or host:port for the AE title ANY-SCP. Without a port it is 11112,
2762 with --tls.`

// queryFlags are those that make an identifier.
func queryFlags(c *cobra.Command, q *verb.Query) {
	f := c.Flags()
	f.StringVar(&q.Model, "model", "study", "information model: patient, study, or patient-study (retired)")
	f.StringVarP(&q.Level, "level", "L", "STUDY", "PATIENT, STUDY, SERIES or IMAGE")
	f.StringArrayVarP(&q.Keys, "key", "k", nil, "key to match or to return: Keyword, Keyword=value, gggg,eeee=value; may be repeated")
	f.StringArrayVarP(&q.Lists, "query-file", "f", nil, "text file of keys, one a line; may be repeated")
}

const keyHelp = `A key is a keyword or gggg,eeee, with =value to match by: * and ? are wildcards, a-b is a
range, a\b is a list of UIDs. An element of a sequence item is Sequence[0].Keyword=value.`

// calls runs a verb on the peer that the first argument names.
func calls(stdio *Stdio, p *verb.Peer, run func(context.Context, *Stdio) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if err := p.Parse(args[0]); err != nil {
			return err
		}
		return run(c.Context(), stdio)
	}
}

// exitCode is the code of an error of Run.
func exitCode(err error) int {
	var e *verb.Error
	if !errors.As(err, &e) {
		return ExitUsage
	}
	switch e.Outcome {
	case verb.Done:
		return ExitOK
	case verb.Usage:
		return ExitUsage
	case verb.Connect:
		return ExitConnect
	}
	return ExitFailed
}

// say prints what an error of Run has to say.
func say(stdio *Stdio, err error) {
	var e *verb.Error
	if errors.As(err, &e) && e.Err == nil {
		return
	}
	fmt.Fprintln(stdio.Err, "gantry:", err)
}

// fail returns an error with the exit code that it stands for.
func fail(code int, format string, args ...any) error {
	return verb.Fail(outcome(code), format, args...)
}

// failQuietly ends with a code after the command has said everything itself.
func failQuietly(code int) error { return verb.Ended(outcome(code)) }

func outcome(code int) verb.Outcome {
	switch code {
	case ExitUsage:
		return verb.Usage
	case ExitConnect:
		return verb.Connect
	}
	return verb.Failed
}
