// Storage_server shows a storage provider inside another program: Serve in a goroutine,
// the program's own work beside it, Shutdown by context in the end. Objects become files
// named by their SOP Instance UID.
// Try: storescu -aec STORE 127.0.0.1 11112 file.dcm
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"gantry/dicom/part10"
	"gantry/dimse"
	"gantry/service/storage"
	"gantry/service/verify"
)

func main() {
	dir := "received"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:11112")
	if err == nil {
		err = run(ctx, l, dir, func(name string) { fmt.Println("received", name) })
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends, then lets running transfers end for ten seconds. received is
// called for each object.
func run(ctx context.Context, l net.Listener, dir string, received func(string)) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	mux := new(dimse.ServeMux)
	verify.Register(mux)
	storage.Register(mux, &folder{dir, received})
	s := &dimse.Server{AETitle: "STORE", Handler: mux}

	done := make(chan error, 1)
	go func() { done <- s.Serve(context.WithoutCancel(ctx), l) }()
	select { // here the embedding program does its own work
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := s.Shutdown(limit)
	if served := <-done; !errors.Is(served, dimse.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// folder keeps objects as files.
type folder struct {
	dir      string
	received func(string)
}

// Store implements dimse.Storer. The file has its name only when it is whole and on disk.
func (f *folder) Store(_ context.Context, in *dimse.Incoming) error {
	if !in.Instance.Valid() { // it becomes a file name: digits and periods only
		return &dimse.StatusError{Status: dimse.InvalidSOPInstance}
	}
	tmp, err := os.CreateTemp(f.dir, ".incoming-*")
	if err != nil {
		return &dimse.StatusError{Status: dimse.OutOfResources, Err: err}
	}
	defer os.Remove(tmp.Name()) // fails after the rename, as it should
	if err := errors.Join(write(tmp, in), tmp.Close()); err != nil {
		return &dimse.StatusError{Status: dimse.OutOfResources, Err: err}
	}
	name := filepath.Join(f.dir, string(in.Instance)+".dcm")
	if err := os.Rename(tmp.Name(), name); err != nil {
		return &dimse.StatusError{Status: dimse.OutOfResources, Err: err}
	}
	f.received(name)
	return nil
}

// write writes a file: our own header, and the data set as it arrives.
func write(w *os.File, in *dimse.Incoming) error {
	meta, err := part10.MetaInfo{Class: in.Class, Instance: in.Instance, Syntax: in.Syntax, SourceAE: string(in.Peer.Calling)}.Meta()
	if err != nil {
		return err
	}
	header, err := part10.AppendHeader(nil, meta)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	if _, err := io.Copy(w, in.Body); err != nil {
		return err
	}
	return w.Sync()
}
