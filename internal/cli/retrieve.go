package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
)

type moveOptions struct {
	peer  peerOptions
	query queryOptions
	dest  string
}

func newMove(stdio *Stdio) *cobra.Command {
	var o moveOptions
	c := command("move PEER", "Have a peer send objects to another (C-MOVE)", &cobra.Command{
		Long: "Have a peer send objects to another application entity, which it must know (C-MOVE).\n\n" + peerHelp + "\n\n" + keyHelp,
		Example: `  gantry move localhost:11112 --dest WORKSTATION -k StudyInstanceUID=1.2.3
  gantry move PACS@10.0.0.9:104 --dest GANTRY -L SERIES -k StudyInstanceUID=1.2.3 -k SeriesInstanceUID=1.2.3.4
  gantry move localhost --dest CT1 --model patient -L PATIENT -k PatientID=4711`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.peer.parse(args[0]); err != nil {
				return err
			}
			return move(c.Context(), stdio, o)
		},
	})
	o.peer.flags(c)
	o.query.flags(c)
	c.Flags().StringVar(&o.dest, "dest", "", "AE title to send to (required)")
	c.MarkFlagRequired("dest")
	return c
}

func move(ctx context.Context, stdio *Stdio, o moveOptions) error {
	class, err := o.query.class(2)
	if err != nil {
		return err
	}
	if err := dimse.AETitle(o.dest).Check(); err != nil {
		return fail(ExitUsage, "--dest: %w", err)
	}
	identifier, err := o.query.identifier()
	if err != nil {
		return err
	}
	a, err := o.peer.dial(ctx, []dimse.Context{{Class: class}})
	if err != nil {
		return err
	}
	defer a.Abort()
	p := progress{stdio: stdio, what: "C-MOVE"}
	for step, err := range a.Move(ctx, class, dimse.AETitle(o.dest), identifier) {
		p.step(step, err)
	}
	release(ctx, a)
	return p.end()
}

// progress prints what sub-operations came to.
type progress struct {
	stdio *Stdio
	what  string
	last  dimse.Progress
	err   error
}

func (p *progress) step(step dimse.Progress, err error) {
	if err != nil {
		p.err = err
	}
	if step.Status != 0 || err == nil {
		p.last = step
	}
}

func (p *progress) end() error {
	l := p.last
	fmt.Fprintf(p.stdio.Out, "%d completed, %d with a warning, %d failed\n", l.Completed, l.Warning, l.SubOperations.Failed)
	for _, u := range l.Failed {
		fmt.Fprintf(p.stdio.Err, "%s: failed\n", u)
	}
	if p.err != nil {
		return fail(ExitFailed, "%s: %w", p.what, p.err)
	}
	if l.SubOperations.Failed > 0 || l.Completed+l.Warning == 0 {
		return failQuietly(ExitFailed)
	}
	return nil
}

type getOptions struct {
	peer  peerOptions
	query queryOptions
	dir   string
}

func newGet(stdio *Stdio) *cobra.Command {
	var o getOptions
	c := command("get PEER", "Fetch objects from a peer (C-GET)", &cobra.Command{
		Long: `Fetch objects from a peer on the same association (C-GET). Each is written as the peer sends
it to a file named by its SOP Instance UID. A file that is there already is kept.

` + peerHelp + "\n\n" + keyHelp,
		Example: `  gantry get localhost:11112 -k StudyInstanceUID=1.2.3 --dir study
  gantry get PACS@10.0.0.9:104 -L SERIES -k StudyInstanceUID=1.2.3 -k SeriesInstanceUID=1.2.3.4
  gantry get localhost --model patient -L PATIENT -k PatientID=4711 --dir patient`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.peer.parse(args[0]); err != nil {
				return err
			}
			return get(c.Context(), stdio, o)
		},
	})
	o.peer.flags(c)
	o.query.flags(c)
	c.Flags().StringVar(&o.dir, "dir", ".", "folder to write to")
	return c
}

func get(ctx context.Context, stdio *Stdio, o getOptions) error {
	class, err := o.query.class(3)
	if err != nil {
		return err
	}
	identifier, err := o.query.identifier()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return fail(ExitFailed, "%w", err)
	}
	a, err := o.peer.dial(ctx, getContexts(class, classesOf(ctx, &o, identifier)))
	if err != nil {
		return err
	}
	defer a.Abort()
	p := progress{stdio: stdio, what: "C-GET"}
	for step, err := range a.Get(ctx, class, identifier, folder(o.dir)) {
		p.step(step, err)
	}
	release(ctx, a)
	return p.end()
}

// getContexts proposes storage classes as their provider. A context has one answer, so each
// class wants one for native pixels and one for each compression. The association has room
// for 128: with the classes known, as many compressions as fit are proposed for each;
// without, the classes of images and reports, native.
func getContexts(class uid.UID, classes []uid.UID) []dimse.Context {
	out := []dimse.Context{{Class: class}}
	compressions := compressed
	if len(classes) == 0 {
		classes, compressions = usualClasses(), nil
	}
	classes = classes[:min(len(classes), maxContexts-1)]
	for _, u := range classes {
		out = append(out, dimse.Context{Class: u, Syntaxes: native, SCP: true})
	}
	for _, s := range compressions {
		if len(out)+len(classes) > maxContexts {
			break
		}
		for _, u := range classes {
			out = append(out, dimse.Context{Class: u, Syntaxes: []uid.UID{s}, SCP: true})
		}
	}
	return out
}

// compressed are the syntaxes that objects are met in, the frequent ones first.
var compressed = []uid.UID{
	uid.JPEGLosslessSV1, uid.JPEGBaseline8Bit, uid.JPEG2000Lossless, uid.JPEG2000, uid.JPEGLSLossless, uid.RLELossless,
	uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.DeflatedExplicitVRLittleEndian, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K,
	uid.JPEGLossless, uid.MPEG4HP41, uid.MPEG2MPML, uid.MPEG2MPHL, uid.MPEG4HP41BD, uid.HEVCMP51,
	uid.JPEGXLLossless, uid.JPEGXL, uid.JPEGXLJPEGRecompression, uid.EncapsulatedUncompressedExplicitVRLittleEndian, uid.DeflatedImageFrameCompression,
}

// usualClasses are the storage classes in use, those of images and reports first.
func usualClasses() []uid.UID {
	var usual, rare []uid.UID
	for u := range uid.StorageClasses() {
		if info, _ := uid.Lookup(u); info.Retired {
			continue
		}
		if isRare(u) {
			rare = append(rare, u)
		} else {
			usual = append(usual, u)
		}
	}
	return append(usual, rare...)
}

// isRare reports whether a storage class comes last: non-patient objects, eye measurements
// and the like.
func isRare(u uid.UID) bool {
	const root = "1.2.840.10008.5.1.4.1.1."
	rest, ok := strings.CutPrefix(string(u), root)
	if !ok {
		return true
	}
	for _, family := range []string{"78.", "79.", "80.", "81.", "82.", "131", "200.", "201.", "68.", "77.1.5.", "9.100.", "13.1.3", "601."} {
		if strings.HasPrefix(rest+".", family) {
			return true
		}
	}
	return false
}

// classesOf asks the peer which SOP classes the wanted studies have. A peer that cannot
// tell is no failure: the usual classes are proposed then.
func classesOf(ctx context.Context, o *getOptions, wanted *dicom.DataSet) []uid.UID {
	class, err := o.query.class(1)
	if err != nil || o.query.model == "patient-study" {
		return nil
	}
	ask, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetBytes(tag.SOPClassesInStudy, vr.UI, nil).
		SetText(tag.PatientID, wanted.Texts(tag.PatientID)...).SetText(tag.StudyInstanceUID, wanted.Texts(tag.StudyInstanceUID)...).Build()
	if err != nil {
		return nil
	}
	a, err := o.peer.dial(ctx, []dimse.Context{{Class: class}})
	if err != nil {
		return nil
	}
	defer a.Abort()
	var out []uid.UID
	for ds, err := range a.Find(ctx, class, ask) {
		if err != nil {
			return nil
		}
		for _, s := range ds.Texts(tag.SOPClassesInStudy) {
			if u := uid.UID(s); u.Valid() && !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	release(ctx, a)
	return out
}

// folder is a Storer that writes files.
type folder string

// Store writes an object under its SOP Instance UID, which must be one: no path comes from
// the wire.
func (f folder) Store(_ context.Context, in *dimse.Incoming) error {
	if !in.Instance.Valid() {
		return &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "SOP Instance UID is not valid"}
	}
	meta, err := part10.MetaInfo{Class: in.Class, Instance: in.Instance, Syntax: in.Syntax, SourceAE: string(in.Peer.Called)}.Meta()
	if err != nil {
		return err
	}
	head, err := part10.AppendHeader(nil, meta)
	if err != nil {
		return err
	}
	name := filepath.Join(string(f), string(in.Instance)+".dcm")
	if _, err := os.Lstat(name); err == nil {
		return nil
	}
	return writeFile(name, head, in.Body)
}

// writeFile writes a whole file or none.
func writeFile(name string, head []byte, body io.Reader) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".gantry-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(head); err != nil {
		return err
	}
	if _, err = io.Copy(tmp, body); err != nil {
		return err
	}
	if err = tmp.Chmod(0o644); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
