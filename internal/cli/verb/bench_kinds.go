package verb

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
)

// benchKinds are what clients do. Each fills in its load, after asking the peer what it has
// to know.
var benchKinds map[string]func(*benching, context.Context, *load) error

func init() { // as a mixed load looks into the table itself
	benchKinds = map[string]func(*benching, context.Context, *load) error{
		"echo": (*benching).echo, "associate": (*benching).associate, "store": (*benching).store,
		"find": (*benching).find, "get": (*benching).get, "move": (*benching).move,
	}
}

func (b *benching) echo(_ context.Context, l *load) error {
	l.contexts = []dimse.Context{{Class: uid.Verification}}
	l.do = func(ctx context.Context, a *dimse.Assoc) (int64, error) { return 0, a.Echo(ctx) }
	return nil
}

// associate opens an association, asks for an echo and releases it. One before the measure
// shows whether the peer is there.
func (b *benching) associate(ctx context.Context, l *load) error {
	l.contexts = []dimse.Context{{Class: uid.Verification}}
	l.apart = true
	l.do = func(ctx context.Context, _ *dimse.Assoc) (int64, error) {
		a, err := l.open(ctx, b.o)
		if err != nil {
			return 0, err
		}
		defer a.Abort()
		if err := a.Echo(ctx); err != nil {
			return 0, err
		}
		return 0, a.Release(ctx)
	}
	a, err := b.o.dial(ctx, l.contexts)
	if err != nil {
		return err
	}
	release(ctx, a)
	return nil
}

func (b *benching) store(_ context.Context, l *load) error {
	if len(b.o.Inputs) > 0 {
		files, err := newFiles(b.o, b.s)
		if err != nil {
			return err
		}
		l.contexts, err = files.contexts()
		l.do = files.send
		return err
	}
	m, err := b.o.maker()
	if err != nil {
		return err
	}
	l.contexts = m.contexts()
	l.do = m.send
	return nil
}

// send sends the next object.
func (m *maker) send(ctx context.Context, a *dimse.Assoc) (int64, error) {
	o, err := m.next()
	if err != nil {
		return 0, err
	}
	return o.Size, stored(a.Store(ctx, o))
}

func (b *benching) find(ctx context.Context, l *load) error {
	class, err := b.o.class(finds)
	if err != nil {
		return err
	}
	list, err := b.identifiers(ctx, asked(b.o.Level)...)
	if err != nil {
		return err
	}
	next := inTurn(list)
	l.contexts = []dimse.Context{{Class: class}}
	l.do = func(ctx context.Context, a *dimse.Assoc) (int64, error) {
		before := a.BytesIn()
		for _, err := range a.Find(ctx, class, next()) {
			if err != nil {
				return 0, err
			}
		}
		return a.BytesIn() - before, nil
	}
	return nil
}

// mostAsked bounds the queries for what classes there are.
const mostAsked = 20

// classes are the SOP classes of what is asked for: one association has to have them all.
func (b *benching) classes(ctx context.Context, list []*dicom.DataSet) []uid.UID {
	if b.o.From == "" && !b.o.named() {
		list = []*dicom.DataSet{new(dicom.DataSet)} // whatever the peer has
	}
	ask := &Retrieve{Common: b.o.Common, Peer: b.o.Peer, Query: b.o.Query}
	var out []uid.UID
	for _, q := range list[:min(len(list), mostAsked)] {
		for _, u := range ask.classesOf(ctx, q) {
			if !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out
}

// named reports whether there are keys to ask by.
func (o *Bench) named() bool { return len(o.Keys)+len(o.Lists)+len(o.Files) > 0 }

// errNothing is a retrieval that was told to be done and brought nothing.
var errNothing = errors.New("nothing retrieved")

func (b *benching) get(ctx context.Context, l *load) error {
	class, err := b.o.class(gets)
	if err != nil {
		return err
	}
	list, err := b.identifiers(ctx)
	if err != nil {
		return err
	}
	next := inTurn(list)
	l.contexts = getContexts(dimse.Context{Class: class}, nil, b.classes(ctx, list))
	l.do = func(ctx context.Context, a *dimse.Assoc) (int64, error) {
		var n atomic.Int64
		var last dimse.Progress
		for step, err := range a.Get(ctx, class, next(), discarding(&n)) {
			if err != nil {
				return n.Load(), err
			}
			last = step
		}
		return n.Load(), retrieved(last)
	}
	return nil
}

// retrieved is the failure that a final response stands for: one of many counts.
func retrieved(last dimse.Progress) error {
	switch {
	case last.SubOperations.Failed > 0:
		return &dimse.StatusError{Status: last.Status}
	case last.Completed+last.Warning == 0:
		return errNothing
	}
	return nil
}

// discarding counts the bytes of what it is given. It reads in large pieces: what is to be
// measured is who sends.
func discarding(n *atomic.Int64) dimse.Storer {
	buffers := sync.Pool{New: func() any { return new([256 << 10]byte) }}
	return dimse.StorerFunc(func(_ context.Context, in *dimse.Incoming) error {
		buf := buffers.Get().(*[256 << 10]byte)
		defer buffers.Put(buf)
		for {
			m, err := in.Body.Read(buf[:])
			n.Add(int64(m))
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
		}
	})
}

// move has the peer send to a destination; with a port of ours what comes is counted there.
func (b *benching) move(ctx context.Context, l *load) error {
	if err := dimse.AETitle(b.o.Dest).Check(); err != nil {
		return Fail(Usage, "destination: %w", err)
	}
	class, err := b.o.class(moves)
	if err != nil {
		return err
	}
	if b.o.Receive > 0 {
		if err := b.sink(l); err != nil {
			return err
		}
	}
	list, err := b.identifiers(ctx)
	if err != nil {
		return err
	}
	next := inTurn(list)
	l.contexts = []dimse.Context{{Class: class}}
	l.do = func(ctx context.Context, a *dimse.Assoc) (int64, error) {
		var last dimse.Progress
		for step, err := range a.Move(ctx, class, dimse.AETitle(b.o.Dest), next()) {
			if err != nil {
				return 0, err
			}
			last = step
		}
		return 0, retrieved(last)
	}
	return nil
}

// sink receives on a port of ours until the end.
func (b *benching) sink(l *load) error {
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(b.o.Receive))
	if err != nil {
		return Fail(Connect, "port to receive on: %w", err)
	}
	n := new(atomic.Int64)
	l.beside = n.Load
	server := &dimse.Server{AETitle: dimse.AETitle(b.o.Dest), Handler: receiver(discarding(n)), Log: quietLog(b.s, b.o.Say), Policy: dimse.Policy{AnyCalled: true}}
	done := make(chan struct{})
	serving, cancel := context.WithCancel(context.WithoutCancel(b.ctx))
	go func() {
		defer close(done)
		server.Serve(serving, listener)
	}()
	b.stops = append(b.stops, func() {
		late, end := context.WithTimeout(serving, 5*time.Second)
		defer end()
		server.Shutdown(late)
		cancel()
		<-done
	})
	return nil
}

// maxDrawn bounds the identifiers that are asked for in turn.
const maxDrawn = 10_000

// identifiers are those to ask for: those of a file, else the one of the keys, else the
// studies that the peer has.
func (b *benching) identifiers(ctx context.Context, defaults ...tag.Tag) ([]*dicom.DataSet, error) {
	o := b.o
	list, err := o.Query.identifiers(defaults...)
	if err != nil {
		return nil, err
	}
	if o.From != "" {
		return b.fromFile(list[0])
	}
	if !o.named() {
		return b.drawn(ctx, list[0])
	}
	return list, nil
}

// inTurn yields one after the other, over and over.
func inTurn(list []*dicom.DataSet) func() *dicom.DataSet {
	var turn atomic.Int64
	return func() *dicom.DataSet { return list[(turn.Add(1)-1)%int64(len(list))] }
}

func (b *benching) fromFile(base *dicom.DataSet) ([]*dicom.DataSet, error) {
	in, err := batchFile(b.o.From, b.s.In)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var out []*dicom.DataSet
	for q := range batch(in, base) {
		if q.err != nil {
			return nil, Fail(Usage, "%s line %d: %w", b.o.From, q.line, q.err)
		}
		if out = append(out, q.identifier); len(out) > maxDrawn {
			return nil, Fail(Usage, "%s: more than %d queries", b.o.From, maxDrawn)
		}
	}
	if len(out) == 0 {
		return nil, Fail(NoInput, "no query in %s", b.o.From)
	}
	return out, nil
}

// drawn are studies that the peer has. A mixed load that stores gives an empty one some.
func (b *benching) drawn(ctx context.Context, base *dicom.DataSet) ([]*dicom.DataSet, error) {
	if level := levelOf(base); level != "STUDY" {
		return nil, Fail(Usage, "at level %s keys are wanted, by -k or from a file", level)
	}
	out, err := b.studies(ctx, base)
	if err != nil || len(out) > 0 {
		return out, err
	}
	if b.o.Kind == "mixed" {
		if err := b.seed(ctx); err != nil {
			return nil, err
		}
		out, err = b.studies(ctx, base)
	}
	if err == nil && len(out) == 0 {
		err = Fail(NoInput, "the peer tells of no study to ask for; give keys by -k or a file of them")
	}
	return out, err
}

func (b *benching) studies(ctx context.Context, base *dicom.DataSet) ([]*dicom.DataSet, error) {
	class, err := b.o.class(finds)
	if err != nil {
		return nil, err
	}
	ask, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetBytes(tag.PatientID, vr.LO, nil).SetBytes(tag.StudyInstanceUID, vr.UI, nil).Build()
	if err != nil {
		return nil, err
	}
	a, err := b.o.dial(ctx, []dimse.Context{{Class: class}})
	if err != nil {
		return nil, err
	}
	defer a.Abort()
	var out []*dicom.DataSet
	for ds, err := range a.Find(ctx, class, ask) {
		if err != nil {
			return nil, Fail(Failed, "find studies to ask for: %w", err)
		}
		e := base.Edit().SetUID(tag.StudyInstanceUID, ds.UID(tag.StudyInstanceUID))
		if b.o.Model != "study" { // which lies below a patient there (PS3.4 C.6.1)
			e.SetText(tag.PatientID, ds.Text(tag.PatientID))
		}
		one, err := e.Build()
		if err != nil {
			return nil, err
		}
		if out = append(out, one); len(out) == maxDrawn {
			break
		}
	}
	release(ctx, a)
	return out, nil
}

// seeded is how many objects an empty peer gets.
const seeded = 10

func (b *benching) seed(ctx context.Context) error {
	m, err := b.o.maker()
	if err != nil {
		return err
	}
	a, err := b.o.dial(ctx, m.contexts())
	if err != nil {
		return err
	}
	defer a.Abort()
	for range seeded {
		if _, err := m.send(ctx, a); err != nil {
			return Fail(Failed, "give the peer something to find: %w", err)
		}
	}
	release(ctx, a)
	return nil
}
