package verb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/blob/memblob"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/ingest"
)

// beginning is an archive that has something done before an object comes in.
type beginning struct {
	*ingest.Ingester
	before func()
}

func (b *beginning) Begin(ctx context.Context, h ingest.Hint) (*ingest.Writer, error) {
	b.before()
	return b.Ingester.Begin(ctx, h)
}

func newBeginning(t *testing.T, before func()) *beginning {
	in, err := ingest.New(context.Background(), new(memblob.Store), new(memory.Index), ingest.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return &beginning{in, before}
}

// dicomFile makes a file of an object with some pixels, in which the SOP Instance UID ends in n.
func dicomFile(t *testing.T, dir string, n int) string {
	t.Helper()
	instance := uid.UID(fmt.Sprint("1.2.3.", n))
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, instance).
		SetUID(tag.StudyInstanceUID, "1.2").SetUID(tag.SeriesInstanceUID, "1.2.3").SetBytes(tag.PixelData, vr.OW, make([]byte, 200_000)).Build()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := part10.MetaInfo{Class: uid.CTImageStorage, Instance: instance, Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, fmt.Sprintf("%03d.dcm", n))
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func endOf(err error) Outcome {
	var e *Error
	if errors.As(err, &e) {
		return e.Outcome
	}
	return Done
}

// TestImportOfShrinkingFile: a file that becomes shorter while it is read is no object.
func TestImportOfShrinkingFile(t *testing.T) {
	name := dicomFile(t, t.TempDir(), 1)
	into := newBeginning(t, func() {
		if err := os.Truncate(name, 100_000); err != nil {
			t.Error(err)
		}
	})
	var out, says bytes.Buffer
	o := Import{Sources: Sources{Inputs: []string{name}}, Jobs: 1}
	err := o.Run(context.Background(), &Stdio{In: strings.NewReader(""), Out: &out, Err: &says}, into)
	if endOf(err) != Failed || !strings.HasPrefix(out.String(), "0 stored, 0 were there, 1 failed") {
		t.Errorf("%v: %s%s", err, &out, &says)
	}
}

// TestImportStopsAtTheFirstFailure: files that were under way then have not failed.
func TestImportStopsAtTheFirstFailure(t *testing.T) {
	dir := t.TempDir()
	for i := range 8 {
		dicomFile(t, dir, i)
	}
	bad := filepath.Join(dir, "bad.dcm")
	if err := os.WriteFile(bad, []byte("\x08\x00\x05\x00CS\xff\xff"), 0o600); err != nil {
		t.Fatal(err)
	}
	var gate sync.WaitGroup
	gate.Add(1)
	into := newBeginning(t, gate.Wait)
	failed := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("bad.dcm")) {
			time.AfterFunc(100*time.Millisecond, gate.Done)
		}
		return len(p), nil
	})
	var out bytes.Buffer
	o := Import{Sources: Sources{Inputs: []string{dir}, Folders: true}, Jobs: 16, Halt: true}
	err := o.Run(context.Background(), &Stdio{In: strings.NewReader(""), Out: &out, Err: failed}, into)
	if endOf(err) != Failed || !strings.HasPrefix(out.String(), "0 stored, 0 were there, 1 failed") {
		t.Errorf("%v: %s", err, &out)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// TestImportEndsBeforeItsList: who stops it need not wait for the next name on standard input.
func TestImportEndsBeforeItsList(t *testing.T) {
	names, more := io.Pipe()
	defer more.Close()
	ctx, cancel := context.WithCancel(context.Background())
	into := newBeginning(t, func() {})
	said := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("stored")) {
			cancel()
		}
		return len(p), nil
	})
	go fmt.Fprintln(more, dicomFile(t, t.TempDir(), 1))
	ended := make(chan error)
	go func() {
		o := Import{Common: Common{Say: Verbose}, Sources: Sources{Inputs: []string{"-"}}, Jobs: 2}
		ended <- o.Run(ctx, &Stdio{In: names, Out: io.Discard, Err: said}, into)
	}()
	select {
	case err := <-ended:
		if endOf(err) != Partial {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("still waits for a name")
	}
}

// TestImportOfCutFrames cuts an object with two fragments at each byte of them: none comes in, not
// even one that ends between fragments, unless it is wanted.
func TestImportOfCutFrames(t *testing.T) {
	meta, err := part10.MetaInfo{Class: uid.CTImageStorage, Instance: "1.2.3.4", Syntax: uid.RLELossless}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := part10.AppendHeader(nil, meta)
	if err != nil {
		t.Fatal(err)
	}
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3.4").
		SetUID(tag.StudyInstanceUID, "1.2").SetUID(tag.SeriesInstanceUID, "1.2.3").Build()
	if err != nil {
		t.Fatal(err)
	}
	if whole, err = dicom.AppendEncode(whole, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	const item = "\xfe\xff\x00\xe0\x04\x00\x00\x00"
	frames := "\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff" + "\xfe\xff\x00\xe0\x00\x00\x00\x00" + item + "abcd" + item + "efgh" + "\xfe\xff\xdd\xe0\x00\x00\x00\x00"
	name := filepath.Join(t.TempDir(), "cut.dcm")
	for n := 1; n <= len(frames); n++ {
		if err := os.WriteFile(name, append(whole[:len(whole):len(whole)], frames[:n]...), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, truncated := range []bool{false, true} {
			var out bytes.Buffer
			o := Import{Common: Common{Say: Quiet}, Sources: Sources{Inputs: []string{name}}, Jobs: 1, Truncated: truncated}
			_ = o.Run(context.Background(), &Stdio{In: strings.NewReader(""), Out: &out, Err: io.Discard}, newBeginning(t, func() {}))
			if stored := strings.HasPrefix(out.String(), "1 stored"); stored != (truncated || n == len(frames)) {
				t.Errorf("%d bytes of %d, truncated %t: %s", n, len(frames), truncated, &out)
			}
		}
	}
}
