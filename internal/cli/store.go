package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
)

type storeOptions struct {
	peer    peerOptions
	stop    bool
	verbose bool
}

func newStore(stdio *Stdio) *cobra.Command {
	var o storeOptions
	c := command("store PEER FILE...", "Send files to a peer (C-STORE)", &cobra.Command{
		Long: `Send files to a peer (C-STORE): files, and folders with all that is below them. Each object
goes in the transfer syntax it has; native ones are changed to another native one where the
peer does not take theirs. What is no DICOM file is named and left out.

` + peerHelp,
		Example: `  gantry store localhost:11112 image.dcm
  gantry store MAIN_PACS@10.0.0.9:104 --calling CT1 study/
  gantry store PACS@pacs.example --tls --stop-on-error study/ other/`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.peer.parse(args[0]); err != nil {
				return err
			}
			s := sender{stdio: stdio, o: o}
			return s.run(c.Context(), args[1:])
		},
	})
	o.peer.flags(c)
	c.Flags().BoolVar(&o.stop, "stop-on-error", false, "stop at the first object that fails")
	c.Flags().BoolVarP(&o.verbose, "verbose", "v", false, "name every file")
	return c
}

// batchFiles bounds what is planned for one association.
const batchFiles = 10_000

// sender sends files in batches, an association each.
type sender struct {
	stdio *Stdio
	o     storeOptions

	batch                []sending
	contexts             []dimse.Context
	sent, warned, failed int
	bytes                int64
}

// sending is a file to send.
type sending struct {
	name                    string
	class, instance, syntax uid.UID
}

func (s *sender) run(ctx context.Context, names []string) error {
	for name, err := range regularFiles(names) {
		var f sending
		if err == nil {
			f, err = inspect(name)
		}
		if err != nil {
			s.fail(name, err)
			if s.o.stop {
				break
			}
			continue
		}
		if !s.fits(f) {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
		s.add(f)
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.stdio.Out, "%d sent, %d with a warning, %d failed, %d bytes\n", s.sent, s.warned, s.failed, s.bytes)
	if s.failed > 0 || s.sent == 0 {
		return failQuietly(ExitFailed)
	}
	return nil
}

func (s *sender) fail(name string, err error) {
	s.failed++
	fmt.Fprintf(s.stdio.Err, "%s: %v\n", name, err)
}

// inspect reads what a file is.
func inspect(name string) (sending, error) {
	f, err := part10.Open(name, dicom.DecodeOptions{Until: tag.StudyDate})
	if err != nil {
		return sending{}, err
	}
	defer f.Close()
	out := sending{name: name, class: f.DataSet.UID(tag.SOPClassUID), instance: f.DataSet.UID(tag.SOPInstanceUID), syntax: f.Syntax}
	if out.class == "" || out.instance == "" {
		return out, errors.New("has no SOP Class UID or no SOP Instance UID")
	}
	return out, nil
}

// native are the syntaxes that turn into each other without a codec, best first.
var native = []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian}

func isNative(u uid.UID) bool { return slices.Contains(native, u) }

// contextsFor are the contexts that an object needs: its own syntax, and the other native
// ones if it is native.
func contextsFor(f sending) []dimse.Context {
	out := []dimse.Context{{Class: f.class, Syntaxes: []uid.UID{f.syntax}}}
	if isNative(f.syntax) {
		out = append(out, dimse.Context{Class: f.class, Syntaxes: []uid.UID{uid.ImplicitVRLittleEndian}})
	}
	return out
}

const maxContexts = 128

func (s *sender) missing(f sending) []dimse.Context {
	var out []dimse.Context
	for _, c := range contextsFor(f) {
		same := func(have dimse.Context) bool { return have.Class == c.Class && have.Syntaxes[0] == c.Syntaxes[0] }
		if !slices.ContainsFunc(s.contexts, same) && !slices.ContainsFunc(out, same) {
			out = append(out, c)
		}
	}
	return out
}

func (s *sender) fits(f sending) bool {
	return len(s.batch) < batchFiles && len(s.contexts)+len(s.missing(f)) <= maxContexts
}

func (s *sender) add(f sending) {
	s.contexts = append(s.contexts, s.missing(f)...)
	s.batch = append(s.batch, f)
}

// flush sends the batch on one association.
func (s *sender) flush(ctx context.Context) error {
	if len(s.batch) == 0 {
		return nil
	}
	a, err := s.o.peer.dial(ctx, s.contexts)
	if err != nil {
		return err
	}
	defer a.Abort()
	for _, f := range s.batch {
		if err := s.send(ctx, a, f); err != nil {
			s.fail(f.name, err)
			if s.o.stop || a.Err() != nil {
				break
			}
		}
	}
	if a.Err() != nil {
		return fail(ExitFailed, "the association ended: %w", a.Err())
	}
	s.batch, s.contexts = s.batch[:0], nil
	return release(ctx, a)
}

func (s *sender) send(ctx context.Context, a *dimse.Assoc, f sending) error {
	file, err := part10.Open(f.name, dicom.DecodeOptions{})
	if err != nil {
		return err
	}
	defer file.Close()
	status, err := a.Store(ctx, outgoing(file, f))
	if err != nil {
		return err
	}
	switch status.Class() {
	case dimse.ClassSuccess:
	case dimse.Warning:
		s.warned++
		fmt.Fprintf(s.stdio.Err, "%s: stored with warning %v\n", f.name, status)
	default:
		return fmt.Errorf("refused: %v", status)
	}
	s.sent++
	s.bytes += file.Size()
	if s.o.verbose {
		fmt.Fprintf(s.stdio.Out, "%s: %v\n", f.name, status)
	}
	return nil
}

// outgoing is a file as an object to send.
func outgoing(file *part10.File, f sending) *dimse.Outgoing {
	return &dimse.Outgoing{
		Class: f.class, Instance: f.instance, Syntax: f.syntax, Size: file.Size() - file.DataSetOffset,
		Open: func(_ context.Context, syntax uid.UID) (io.ReadCloser, error) {
			if syntax == f.syntax {
				return io.NopCloser(file.DataSetReader()), nil
			}
			return transcoded(file.DataSet, f.syntax, syntax)
		},
	}
}

// transcoded lays a native data set out anew.
func transcoded(ds *dicom.DataSet, from, to uid.UID) (io.ReadCloser, error) {
	if !isNative(from) || !isNative(to) {
		return nil, fmt.Errorf("the peer does not take %s, and Gantry cannot turn it into %s", from.Name(), to.Name())
	}
	var b bytes.Buffer
	if err := dicom.Encode(&b, ds, to); err != nil {
		return nil, err
	}
	return io.NopCloser(&b), nil
}
