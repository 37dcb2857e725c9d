package service_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"sync"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/service/query"
	"gantry/service/retrieve"
	"gantry/ul"
)

const (
	studyFind   = uid.StudyRootQueryRetrieveInformationModelFind
	studyMove   = uid.StudyRootQueryRetrieveInformationModelMove
	studyGet    = uid.StudyRootQueryRetrieveInformationModelGet
	patientFind = uid.PatientRootQueryRetrieveInformationModelFind
	onlyFind    = uid.PatientStudyOnlyQueryRetrieveInformationModelFind
)

// keys builds an identifier from keyword, value pairs.
func keys(t testing.TB, level string, pairs ...any) *dicom.DataSet {
	t.Helper()
	e := new(dicom.DataSet).Edit()
	if level != "" {
		e.SetText(tag.QueryRetrieveLevel, level)
	}
	for i := 0; i < len(pairs); i += 2 {
		e.SetText(pairs[i].(tag.Tag), fmt.Sprint(pairs[i+1]))
	}
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func filled(t testing.TB, n int) *dicomtest.Archive {
	t.Helper()
	a := new(dicomtest.Archive)
	for i := range n {
		if err := a.Add(dicomtest.Object{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func find(a *dimse.Assoc, class uid.UID, ds *dicom.DataSet) (out []*dicom.DataSet, err error) {
	for ds, err := range a.Find(context.Background(), class, ds) {
		if err != nil {
			return out, err
		}
		out = append(out, ds)
	}
	return out, nil
}

func TestFindLevels(t *testing.T) {
	addr := dicomtest.Serve(t, &dimse.Server{Handler: filled(t, 250).Mux(nil)})
	a := dicomtest.Dial(t, addr, dimse.Context{Class: patientFind}, dimse.Context{Class: studyFind}, dimse.Context{Class: onlyFind})
	study := dicomtest.Study(100)
	for _, c := range []struct {
		class uid.UID
		ds    *dicom.DataSet
		n     int
		off   tag.Tag // offending element of an A900H
	}{
		{patientFind, keys(t, "PATIENT", tag.PatientID, "", tag.PatientName, ""), 3, 0},
		{patientFind, keys(t, "PATIENT", tag.PatientID, "P1"), 1, 0},
		{patientFind, keys(t, "PATIENT", tag.PatientName, "P?^TEST", tag.PatientID, ""), 3, 0},
		{patientFind, keys(t, "STUDY", tag.PatientID, "P1", tag.StudyInstanceUID, ""), 1, 0},
		{patientFind, keys(t, "STUDY", tag.StudyInstanceUID, ""), 0, tag.PatientID},
		{studyFind, keys(t, "STUDY", tag.StudyInstanceUID, ""), 3, 0},
		{studyFind, keys(t, "SERIES", tag.StudyInstanceUID, study, tag.SeriesInstanceUID, ""), 10, 0},
		{studyFind, keys(t, "SERIES", tag.SeriesInstanceUID, ""), 0, tag.StudyInstanceUID},
		{studyFind, keys(t, "IMAGE", tag.StudyInstanceUID, study, tag.SeriesInstanceUID, dicomtest.Series(100), tag.SOPInstanceUID, ""), 10, 0},
		{studyFind, keys(t, "IMAGE", tag.StudyInstanceUID, study, tag.SOPInstanceUID, ""), 0, tag.SeriesInstanceUID},
		{studyFind, keys(t, "PATIENT", tag.PatientID, ""), 0, tag.QueryRetrieveLevel},
		{studyFind, keys(t, "", tag.PatientID, ""), 0, tag.QueryRetrieveLevel},
		{onlyFind, keys(t, "SERIES", tag.PatientID, "P1", tag.StudyInstanceUID, study), 0, tag.QueryRetrieveLevel},
	} {
		got, err := find(a, c.class, c.ds)
		if c.off == 0 && (err != nil || len(got) != c.n) {
			t.Errorf("%s %s: %d answers, want %d, %v", c.class.Name(), c.ds.Text(tag.QueryRetrieveLevel), len(got), c.n, err)
		}
		var se *dimse.StatusError
		if c.off != 0 && (!errors.As(err, &se) || se.Status != dimse.DataSetDoesNotMatchSOPClass || len(se.Offending) != 1 || se.Offending[0] != c.off) {
			t.Errorf("%s %s: %v, want A900H for %v", c.class.Name(), c.ds.Text(tag.QueryRetrieveLevel), err, c.off)
		}
		if len(got) > 0 && got[0].Text(tag.QueryRetrieveLevel) != c.ds.Text(tag.QueryRetrieveLevel) {
			t.Errorf("level %q", got[0].Text(tag.QueryRetrieveLevel))
		}
	}
}

func TestExtendedNegotiation(t *testing.T) {
	arch := filled(t, 3)
	asked := make(chan *query.Query, 10)
	m := new(dimse.ServeMux)
	query.Register(m, query.FinderFunc(func(ctx context.Context, q *query.Query) iter.Seq2[*dicom.DataSet, error] {
		asked <- q
		return arch.Find(ctx, q)
	}), query.Options{Relational: true, Fuzzy: true, Unsupported: func(q *query.Query) bool { return q.Identifier.Has(tag.BodyPartExamined) }})
	addr := dicomtest.Serve(t, &dimse.Server{Handler: m})
	d := dimse.Dialer{Contexts: []dimse.Context{{Class: studyFind}}, Extended: []ul.ExtendedNegotiation{{Class: studyFind, Info: []byte{1, 1, 1, 0, 0}}}}
	a, err := d.Dial(t.Context(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	if got := a.Peer().Extended(studyFind); string(got) != "\x01\x00\x01\x00\x00" {
		t.Errorf("answer % x", got)
	}
	got, err := find(a, studyFind, keys(t, "IMAGE", tag.SOPInstanceUID, ""))
	if err != nil || len(got) != 3 {
		t.Errorf("relational: %d %v", len(got), err)
	}
	seen := <-asked
	if !seen.Relational || seen.DateTime || !seen.Fuzzy || seen.Timezone || seen.Level != query.ImageLevel || seen.Peer.Calling != "GANTRY" {
		t.Errorf("%+v", seen)
	}
	for _, prio := range []dimse.Priority{dimse.PriorityHigh, dimse.PriorityMedium, dimse.PriorityLow} {
		for _, err := range a.FindAt(t.Context(), prio, studyFind, keys(t, "IMAGE", tag.SOPInstanceUID, "")) {
			if err != nil {
				t.Error(err)
			}
		}
		if q := <-asked; q.Priority != prio {
			t.Errorf("priority %d, asked with %d", q.Priority, prio)
		}
	}
	p := dicomtest.NewParrot(t, addr)
	p.Associate(studyFind)
	p.Command(1, dimse.Command{Op: dimse.CFind, MessageID: 1, HasData: true, AffectedClass: studyFind})
	b, err := dicom.AppendEncode(nil, keys(t, "STUDY", tag.BodyPartExamined, ""), uid.ImplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	p.Data(1, true, b)
	if c := p.ExpectCommand(); c.Status != dimse.PendingOptionalKeyNotSupported {
		t.Errorf("status %v, want FF01H", c.Status)
	}
}

func TestFinderFails(t *testing.T) {
	m := new(dimse.ServeMux)
	deferred := make(chan bool, 1)
	fail := make(chan error, 1)
	query.Register(m, query.FinderFunc(func(context.Context, *query.Query) iter.Seq2[*dicom.DataSet, error] {
		return func(yield func(*dicom.DataSet, error) bool) {
			defer func() { deferred <- true }()
			if yield(keys(t, "STUDY", tag.PatientID, "1"), nil) {
				yield(nil, <-fail)
			}
		}
	}), query.Options{})
	addr := dicomtest.Serve(t, &dimse.Server{Handler: m})
	a := dicomtest.Dial(t, addr, dimse.Context{Class: studyFind})
	for err, want := range map[error]dimse.Status{
		errors.New("secret detail"): dimse.UnableToProcess,
		&dimse.StatusError{Status: dimse.OutOfResources, Comment: "too broad"}: dimse.OutOfResources,
	} {
		fail <- err
		got, err := find(a, studyFind, keys(t, "STUDY", tag.PatientID, ""))
		var se *dimse.StatusError
		if len(got) != 1 || !errors.As(err, &se) || se.Status != want || se.Comment == "secret detail" {
			t.Errorf("%d %v", len(got), err)
		}
		<-deferred
	}
}

func TestIdentifierTooLong(t *testing.T) {
	addr := dicomtest.Serve(t, &dimse.Server{Handler: filled(t, 1).Mux(nil), Limits: dimse.NetLimits{MaxIdentifier: 1000}})
	p := dicomtest.NewParrot(t, addr)
	p.Associate(studyFind)
	p.Command(1, dimse.Command{Op: dimse.CFind, MessageID: 1, HasData: true, AffectedClass: studyFind})
	p.Data(1, true, make([]byte, 5000))
	if c := p.ExpectCommand(); c.Status != dimse.OutOfResources || c.Response != true {
		t.Errorf("%+v", c)
	}
}

// retrieved collects the responses of a C-MOVE or C-GET.
func retrieved(seq iter.Seq2[dimse.Progress, error]) (pending int, last dimse.Progress, err error) {
	for p, e := range seq {
		if last, err = p, e; p.Final() {
			return pending, last, err
		}
		pending++
	}
	return pending, last, err
}

func TestGet(t *testing.T) {
	arch := filled(t, 25)
	if err := arch.Add(dicomtest.Object{N: 25, Syntax: uid.ImplicitVRLittleEndian}, dicomtest.Object{N: 26, Class: uid.MRImageStorage}); err != nil {
		t.Fatal(err)
	}
	addr := dicomtest.Serve(t, &dimse.Server{Handler: arch.Mux(nil)})
	a := dicomtest.Dial(t, addr, dimse.Context{Class: studyGet},
		dimse.Context{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian}, SCP: true})
	var sink dicomtest.Archive
	pending, last, err := retrieved(a.Get(t.Context(), studyGet, keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0)), &sink))
	if err != nil || pending != 26 {
		t.Fatal(pending, err)
	}
	// The MR object has no context: it fails, clearly. The implicit one is transcoded.
	if last.Status != dimse.SubOperationsFailed || last.SubOperations != (dimse.SubOperations{Completed: 26, Failed: 1}) ||
		len(last.Failed) != 1 || last.Failed[0] != dicomtest.Instance(26) || last.Comment != "no context accepted for class or syntax" {
		t.Errorf("%+v", last)
	}
	if n := len(sink.Objects()); n != 26 {
		t.Errorf("%d objects", n)
	}
	for _, o := range sink.Objects() {
		if o.Syntax != uid.ExplicitVRLittleEndian {
			t.Errorf("syntax %s", o.Syntax)
		}
	}
}

type moveSetup struct {
	source, sink *dicomtest.Archive
	server       *dimse.Server // the sink's
	addr         string        // of the source
	mu           sync.Mutex
	failures     []retrieve.Failure
}

func (m *moveSetup) failed(f retrieve.Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failures = append(m.failures, f)
}

func (m *moveSetup) failedOnes() []retrieve.Failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failures
}

func newMove(t *testing.T, sink *dimse.Server, objects ...dicomtest.Object) *moveSetup {
	m := &moveSetup{source: new(dicomtest.Archive), sink: new(dicomtest.Archive), server: sink}
	if err := m.source.Add(objects...); err != nil {
		t.Fatal(err)
	}
	if sink.Handler == nil {
		sink.Handler = m.sink.Mux(nil)
	}
	sink.AETitle = "SINK"
	sinkAddr := dicomtest.Serve(t, sink)
	resolver := retrieve.ResolverFunc(func(_ context.Context, _ *dimse.Request, dest dimse.AETitle) (*retrieve.Destination, error) {
		switch dest {
		case "SINK":
			return &retrieve.Destination{Called: "SINK", Addr: sinkAddr, Dialer: dimse.Dialer{Calling: "ARCHIVE"}}, nil
		case "DEAD":
			return &retrieve.Destination{Called: "DEAD", Addr: "127.0.0.1:1", Dialer: dimse.Dialer{Calling: "ARCHIVE"}}, nil
		case "WRONG":
			return &retrieve.Destination{Called: "WRONG", Addr: sinkAddr}, nil
		}
		return nil, retrieve.ErrUnknownDestination
	})
	mux := new(dimse.ServeMux)
	retrieve.RegisterMove(mux, m.source, resolver, retrieve.Options{OnFailure: m.failed})
	m.addr = dicomtest.Serve(t, &dimse.Server{Handler: mux})
	return m
}

func numbered(n int) []dicomtest.Object {
	out := make([]dicomtest.Object, n)
	for i := range out {
		out[i].N = i
	}
	return out
}

func TestMove(t *testing.T) {
	m := newMove(t, &dimse.Server{}, numbered(30)...)
	a := dicomtest.Dial(t, m.addr, dimse.Context{Class: studyMove})
	pending, last, err := retrieved(a.Move(t.Context(), studyMove, "SINK", keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0))))
	if err != nil || pending != 29 || last.Status != dimse.Success || last.Completed != 30 || last.Remaining != 0 {
		t.Fatalf("%d %+v %v", pending, last, err)
	}
	for _, o := range m.sink.Objects() {
		if o.Originator != "SCU" || o.OriginatorID != 1 || o.Syntax != uid.ExplicitVRLittleEndian {
			t.Fatalf("%+v", o)
		}
	}
	if len(m.sink.Objects()) != 30 || m.server.Stats().Associations != 1 {
		t.Errorf("%d objects over %d associations", len(m.sink.Objects()), m.server.Stats().Associations)
	}
	// Nothing matches: success, with zero counts.
	pending, last, err = retrieved(a.Move(t.Context(), studyMove, "SINK", keys(t, "STUDY", tag.StudyInstanceUID, "1.2.3")))
	if err != nil || pending != 0 || last.Status != dimse.Success || last.Completed != 0 {
		t.Errorf("%d %+v %v", pending, last, err)
	}
}

func TestMoveFailures(t *testing.T) {
	study := func(t *testing.T) *dicom.DataSet { return keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0)) }
	move := func(t *testing.T, m *moveSetup, dest dimse.AETitle) (dimse.Progress, error) {
		a := dicomtest.Dial(t, m.addr, dimse.Context{Class: studyMove})
		_, last, err := retrieved(a.Move(t.Context(), studyMove, dest, study(t)))
		return last, err
	}
	for _, c := range []struct {
		dest    dimse.AETitle
		status  dimse.Status
		comment string
	}{
		{"NOBODY", dimse.MoveDestinationUnknown, "move destination unknown"},
		{"DEAD", dimse.OutOfResourcesSubOperations, "destination cannot be reached"},
		{"WRONG", dimse.OutOfResourcesSubOperations, "destination rejected permanent, service-user: called AE title not"},
	} {
		t.Run(string(c.dest), func(t *testing.T) {
			m := newMove(t, &dimse.Server{}, numbered(5)...)
			last, err := move(t, m, c.dest)
			var se *dimse.StatusError
			if !errors.As(err, &se) || se.Status != c.status || se.Comment != c.comment[:min(len(c.comment), 64)] && len(c.comment) < 64 {
				t.Errorf("%+v %v", last, err)
			}
			if c.dest != "NOBODY" && (last.SubOperations.Failed != 5 || len(last.Failed) != 5 || len(m.failedOnes()) != 5) {
				t.Errorf("%+v", last)
			}
		})
	}
	t.Run("one fails", func(t *testing.T) {
		m := newMove(t, &dimse.Server{}, numbered(5)...)
		m.sink.OnStore = func(in *dimse.Incoming) error {
			switch in.Instance {
			case dicomtest.Instance(2):
				return &dimse.StatusError{Status: dimse.OutOfResources, Comment: "full"}
			case dicomtest.Instance(3):
				return &dimse.StatusError{Status: dimse.ElementsDiscarded}
			}
			return nil
		}
		last, err := move(t, m, "SINK")
		if err != nil || last.Status != dimse.SubOperationsFailed || last.SubOperations != (dimse.SubOperations{Completed: 3, Failed: 1, Warning: 1}) {
			t.Errorf("%+v %v", last, err)
		}
		if len(last.Failed) != 1 || last.Failed[0] != dicomtest.Instance(2) || last.Comment != "first failure A700H (Refused: Out of resources)" {
			t.Errorf("%+v", last)
		}
		if f := m.failedOnes(); len(f) != 1 || f[0].Status != dimse.OutOfResources {
			t.Errorf("%+v", f)
		}
	})
	t.Run("destination dies once", func(t *testing.T) {
		m := newMove(t, &dimse.Server{}, numbered(5)...)
		died := false
		m.sink.OnStore = func(in *dimse.Incoming) error {
			if in.Instance == dicomtest.Instance(1) && !died {
				died = true
				panic("sink dies")
			}
			return nil
		}
		last, err := move(t, m, "SINK")
		if err != nil || last.SubOperations != (dimse.SubOperations{Completed: 4, Failed: 1}) || last.Comment != "destination aborted the association" {
			t.Errorf("%+v %v", last, err)
		}
	})
}

// TestMoveManyKinds needs more presentation contexts than one association has.
func TestMoveManyKinds(t *testing.T) {
	var objects []dicomtest.Object
	for class := range uid.StorageClasses() {
		if len(objects) == 90 {
			break
		}
		objects = append(objects, dicomtest.Object{N: len(objects), Class: class})
	}
	m := newMove(t, &dimse.Server{}, objects...)
	a := dicomtest.Dial(t, m.addr, dimse.Context{Class: studyMove})
	_, last, err := retrieved(a.Move(t.Context(), studyMove, "SINK", keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0))))
	if err != nil || last.Completed != 90 {
		t.Fatalf("%+v %v", last, err)
	}
	if n := m.server.Stats().Associations; n != 2 {
		t.Errorf("%d associations", n)
	}
}

// TestMoveTranscodes: the destination takes Implicit VR Little Endian only.
func TestMoveTranscodes(t *testing.T) {
	m := newMove(t, &dimse.Server{Policy: dimse.Policy{Syntaxes: []uid.UID{uid.ImplicitVRLittleEndian}, OnlySyntaxes: true}}, numbered(3)...)
	a := dicomtest.Dial(t, m.addr, dimse.Context{Class: studyMove})
	_, last, err := retrieved(a.Move(t.Context(), studyMove, "SINK", keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0))))
	if err != nil || last.Completed != 3 {
		t.Fatalf("%+v %v", last, err)
	}
	for _, o := range m.sink.Objects() {
		if o.Syntax != uid.ImplicitVRLittleEndian {
			t.Errorf("syntax %s", o.Syntax)
		}
	}
}

func TestMoveCancel(t *testing.T) {
	m := newMove(t, &dimse.Server{}, numbered(50)...)
	m.sink.OnStore = func(*dimse.Incoming) error { time.Sleep(5 * time.Millisecond); return nil }
	a := dicomtest.Dial(t, m.addr, dimse.Context{Class: studyMove})
	for p, err := range a.Move(t.Context(), studyMove, "SINK", keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0))) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Completed == 3 {
			break
		}
	}
	n := len(m.sink.Objects())
	if n < 3 || n > 20 {
		t.Errorf("%d objects arrived", n)
	}
	time.Sleep(50 * time.Millisecond)
	if len(m.sink.Objects()) != n {
		t.Error("the move goes on after its final response")
	}
	if _, last, err := retrieved(a.Move(t.Context(), studyMove, "SINK", keys(t, "STUDY", tag.StudyInstanceUID, "1.2.3"))); err != nil || last.Status != dimse.Success {
		t.Errorf("the association is not usable: %+v %v", last, err)
	}
}

func TestStorageChecks(t *testing.T) {
	addr := dicomtest.Serve(t, &dimse.Server{Handler: new(dicomtest.Archive).Mux(nil)})
	p := dicomtest.NewParrot(t, addr)
	p.Associate(uid.CTImageStorage)
	for _, c := range []struct {
		cmd dimse.Command
		off tag.Tag
	}{
		{dimse.Command{AffectedClass: uid.CTImageStorage, AffectedInstance: "1.2"}, tag.CommandDataSetType},
		{dimse.Command{AffectedClass: uid.CTImageStorage, HasData: true}, tag.AffectedSOPInstanceUID},
		{dimse.Command{AffectedInstance: "1.2", HasData: true}, tag.AffectedSOPClassUID},
	} {
		c.cmd.Op, c.cmd.MessageID = dimse.CStore, 7
		p.Command(1, c.cmd)
		if c.cmd.HasData {
			p.Data(1, true, []byte("xx"))
		}
		rsp := p.ExpectCommand()
		if rsp.Status != dimse.UnableToProcess || len(rsp.Offending) != 1 || rsp.Offending[0] != c.off || rsp.RespondedTo != 7 {
			t.Errorf("%+v, want %v", rsp, c.off)
		}
	}
}

// gathering makes each object open only when n are being opened at a time.
type gathering struct {
	*dicomtest.Archive
	n int

	mu    sync.Mutex
	there int
	all   chan struct{}
}

func (g *gathering) Retrieve(ctx context.Context, q *query.Query) (*retrieve.Retrieval, error) {
	res, err := g.Archive.Retrieve(ctx, q)
	if err != nil {
		return nil, err
	}
	inner := res.Instances
	res.Instances = func(yield func(*dimse.Outgoing, error) bool) {
		for o, err := range inner {
			if err == nil {
				o = g.gather(o)
			}
			if !yield(o, err) {
				return
			}
		}
	}
	return res, nil
}

func (g *gathering) gather(o *dimse.Outgoing) *dimse.Outgoing {
	late := *o
	late.Open = func(ctx context.Context, syntax uid.UID) (io.ReadCloser, error) {
		g.mu.Lock()
		if g.there++; g.there == g.n {
			close(g.all)
		}
		g.mu.Unlock()
		select {
		case <-g.all:
			return o.Open(ctx, syntax)
		case <-time.After(10 * time.Second):
			return nil, errors.New("alone")
		}
	}
	return &late
}

// TestGetInWindow: as many sub-operations run at a time as the requestor's window lets.
func TestGetInWindow(t *testing.T) {
	for _, window := range []int{2, 5} {
		g := &gathering{Archive: filled(t, 40), n: window, all: make(chan struct{})}
		mux := new(dimse.ServeMux)
		retrieve.RegisterGet(mux, g, retrieve.Options{})
		d := dimse.Dialer{Calling: "SCU", Window: window, Contexts: []dimse.Context{{Class: studyGet},
			{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian}, SCP: true}}}
		a, err := d.Dial(t.Context(), "SCP", dicomtest.Serve(t, &dimse.Server{Handler: mux}))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Abort()
		for range 3 {
			var sink dicomtest.Archive
			pending, last, err := retrieved(a.Get(t.Context(), studyGet, keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0)), &sink))
			if err != nil || pending != 39 || last.Completed != 40 || last.SubOperations.Failed != 0 || len(sink.Objects()) != 40 {
				t.Fatalf("%d %+v %v, %d objects", pending, last, err, len(sink.Objects()))
			}
		}
		if g.there < window {
			t.Error("no sub-operation was delayed")
		}
	}
}

// breaking is an archive of which one object panics when it is opened.
func breaking(arch *dicomtest.Archive) retrieve.Retriever {
	return retrieve.RetrieverFunc(func(ctx context.Context, q *query.Query) (*retrieve.Retrieval, error) {
		res, err := arch.Retrieve(ctx, q)
		inner := res.Instances
		res.Instances = func(yield func(*dimse.Outgoing, error) bool) {
			for o, err := range inner {
				if o.Instance == dicomtest.Instance(7) {
					o.Open = func(context.Context, uid.UID) (io.ReadCloser, error) { panic("broken") }
				}
				if !yield(o, err) {
					return
				}
			}
		}
		return res, err
	})
}

// TestGetPanics: a panic in one of several sub-operations ends the association, no more.
func TestGetPanics(t *testing.T) {
	arch := filled(t, 20)
	mux := new(dimse.ServeMux)
	retrieve.RegisterGet(mux, breaking(arch), retrieve.Options{})
	s := &dimse.Server{Handler: mux}
	addr := dicomtest.Serve(t, s)
	for _, window := range []int{1, 6} {
		d := dimse.Dialer{Calling: "SCU", Window: window, Contexts: []dimse.Context{{Class: studyGet},
			{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian}, SCP: true}}}
		a, err := d.Dial(t.Context(), "SCP", addr)
		if err != nil {
			t.Fatal(err)
		}
		var sink dicomtest.Archive
		if _, _, err := retrieved(a.Get(t.Context(), studyGet, keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0)), &sink)); err == nil {
			t.Error("a panic went unnoticed")
		}
		a.Abort()
	}
}

// TestMovePanics: a panic ends its C-MOVE alone. The pool's one association is given back,
// so that the next C-MOVE to the destination has it.
func TestMovePanics(t *testing.T) {
	var kept dicomtest.Archive
	sinkAddr := dicomtest.Serve(t, &dimse.Server{Handler: kept.Mux(nil), AETitle: "SINK", Limits: dimse.NetLimits{Window: 4}})
	for _, window := range []int{1, 4} {
		pools := dimse.Pools{Idle: time.Minute, Max: 1}
		resolve := retrieve.ResolverFunc(func(context.Context, *dimse.Request, dimse.AETitle) (*retrieve.Destination, error) {
			return &retrieve.Destination{Called: "SINK", Pool: pools.To(dimse.Dialer{Calling: "ARCHIVE", Window: window}, "SINK", sinkAddr)}, nil
		})
		broken, whole := new(dimse.ServeMux), new(dimse.ServeMux)
		retrieve.RegisterMove(broken, breaking(filled(t, 20)), resolve, retrieve.Options{})
		retrieve.RegisterMove(whole, filled(t, 20), resolve, retrieve.Options{})
		for i, mux := range []*dimse.ServeMux{broken, broken, whole} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			a := dicomtest.Dial(t, dicomtest.Serve(t, &dimse.Server{Handler: mux}), dimse.Context{Class: studyMove})
			_, last, err := retrieved(a.Move(ctx, studyMove, "SINK", keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0))))
			if i < 2 && err == nil {
				t.Error("a panic went unnoticed")
			}
			if i == 2 && (err != nil || last.Completed != 20) {
				t.Errorf("window %d, after panics: %+v, %v", window, last, err)
			}
			a.Abort()
			cancel()
		}
		pools.Close()
	}
}

// TestMoveInWindow: the same for C-MOVE, as the destination's window lets, over the pool's
// association, also when that was dead.
func TestMoveInWindow(t *testing.T) {
	g := &gathering{Archive: filled(t, 40), n: 5, all: make(chan struct{})}
	var kept dicomtest.Archive
	sink := &dimse.Server{Handler: kept.Mux(nil), AETitle: "SINK", Limits: dimse.NetLimits{Window: 5}}
	sinkAddr := dicomtest.Serve(t, sink)
	pools := dimse.Pools{Idle: time.Minute}
	defer pools.Close()
	var mu sync.Mutex
	var conns []net.Conn
	resolve := retrieve.ResolverFunc(func(context.Context, *dimse.Request, dimse.AETitle) (*retrieve.Destination, error) {
		d := dimse.Dialer{Calling: "ARCHIVE", Window: 8, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			mu.Lock()
			conns = append(conns, nc)
			mu.Unlock()
			return nc, err
		}}
		return &retrieve.Destination{Called: "SINK", Pool: pools.To(d, "SINK", sinkAddr)}, nil
	})
	mux := new(dimse.ServeMux)
	retrieve.RegisterMove(mux, g, resolve, retrieve.Options{})
	a := dicomtest.Dial(t, dicomtest.Serve(t, &dimse.Server{Handler: mux}), dimse.Context{Class: studyMove})
	move := func() {
		t.Helper()
		_, last, err := retrieved(a.Move(t.Context(), studyMove, "SINK", keys(t, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0))))
		if err != nil || last.Completed != 40 || last.SubOperations.Failed != 0 {
			t.Fatalf("%+v %v", last, err)
		}
	}
	move()
	move()
	if n := sink.Stats().Associations; n != 1 {
		t.Errorf("%d associations for two moves", n)
	}
	mu.Lock()
	conns[0].(*net.TCPConn).CloseWrite() // the sink sees its end
	mu.Unlock()
	move()
	if n := sink.Stats().Associations; n != 2 {
		t.Errorf("%d associations after one broke", n)
	}
	if n := len(kept.Objects()); n != 40 {
		t.Errorf("%d objects", n)
	}
}
