// Mini_pacs is an archive in memory: C-ECHO, C-STORE, C-FIND, C-GET and C-MOVE on the levels
// STUDY and IMAGE. Move destinations are given as arguments, AE=host:port.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/service/query"
	"gantry/service/retrieve"
	"gantry/service/storage"
	"gantry/service/verify"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:11112")
	if err == nil {
		err = serve(ctx, l, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves until ctx ends.
func serve(ctx context.Context, l net.Listener, destinations []string) error {
	p, mux := new(pacs), new(dimse.ServeMux)
	verify.Register(mux)
	storage.Register(mux, p)
	query.Register(mux, p, query.Options{})
	retrieve.RegisterGet(mux, p, retrieve.Options{})
	retrieve.RegisterMove(mux, p, resolver(destinations), retrieve.Options{})
	s := &dimse.Server{AETitle: "MINIPACS", Handler: mux}
	if err := s.Serve(ctx, l); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// resolver knows the destinations of the command line, and no others.
type resolver []string

// Resolve implements retrieve.Resolver.
func (r resolver) Resolve(_ context.Context, _ *dimse.Request, dest dimse.AETitle) (*retrieve.Destination, error) {
	for _, d := range r {
		if ae, addr, ok := strings.Cut(d, "="); ok && ae == string(dest) {
			return &retrieve.Destination{Called: dest, Addr: addr, Dialer: dimse.Dialer{Calling: "MINIPACS"}}, nil
		}
	}
	return nil, retrieve.ErrUnknownDestination
}

type object struct {
	class, instance, syntax uid.UID
	ds                      *dicom.DataSet
}

type pacs struct {
	mu      sync.Mutex
	objects []*object
}

// Store implements dimse.Storer.
func (p *pacs) Store(_ context.Context, in *dimse.Incoming) error {
	data, err := io.ReadAll(in.Body)
	if err != nil {
		return err
	}
	ds, err := dicom.DecodeBytes(data, dicom.DecodeOptions{Syntax: in.Syntax})
	if err != nil {
		return &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "the data set does not decode", Err: err}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.objects = append(p.objects, &object{in.Class, in.Instance, in.Syntax, ds})
	return nil
}

// matching returns the objects that have every value the identifier asks for.
func (p *pacs) matching(q *query.Query) (out []*object) {
	p.mu.Lock()
	defer p.mu.Unlock()
objects:
	for _, o := range p.objects {
		for key := range q.Identifier.All() {
			if want := key.Texts(); key.Tag != tag.QueryRetrieveLevel && key.Text() != "" && !slices.Contains(want, o.ds.Text(key.Tag)) {
				continue objects
			}
		}
		out = append(out, o)
	}
	return out
}

// Find implements query.Finder.
func (p *pacs) Find(_ context.Context, q *query.Query) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		seen := make(map[uid.UID]bool)
		for _, o := range p.matching(q) {
			study := o.ds.UID(tag.StudyInstanceUID)
			if q.Level == query.StudyLevel && seen[study] {
				continue
			}
			seen[study] = true
			answer := new(dicom.DataSet).Edit()
			for key := range q.Identifier.All() {
				answer.SetText(key.Tag, o.ds.Texts(key.Tag)...)
			}
			ds, err := answer.SetText(tag.QueryRetrieveLevel, string(q.Level)).Build()
			if !yield(ds, err) || err != nil {
				return
			}
		}
	}
}

// Retrieve implements retrieve.Retriever.
func (p *pacs) Retrieve(_ context.Context, q *query.Query) (*retrieve.Retrieval, error) {
	found := p.matching(q)
	return &retrieve.Retrieval{Count: len(found), Instances: func(yield func(*dimse.Outgoing, error) bool) {
		for _, o := range found {
			open := func(_ context.Context, syntax uid.UID) (io.ReadCloser, error) {
				data, err := dicom.AppendEncode(nil, o.ds, syntax)
				return io.NopCloser(bytes.NewReader(data)), err
			}
			if !yield(&dimse.Outgoing{Class: o.class, Instance: o.instance, Syntax: o.syntax, Open: open}, nil) {
				return
			}
		}
	}}, nil
}
