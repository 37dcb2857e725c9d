//go:build unix

package interop

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
	"gantry/ul"
)

// The system that Gantry implements publishes five figures that it measured within one
// process: no network, no encoding, no disk. BenchmarkDescribed measures the same, in that
// way, to be laid beside them and beside nothing else. BenchmarkUnderLoad measures over TCP
// what two of them were meant to say.

// BenchmarkDescribed: an association is a request handed to a function that negotiates, a
// message an object that goes through a queue to a handler that counts.
func BenchmarkDescribed(b *testing.B) {
	b.Run("Association", func(b *testing.B) {
		for range b.N {
			if ac := accept(request()); len(ac.Contexts) != 1 {
				b.Fatal("no context")
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "in-process-associations/s")
	})
	b.Run("Echo", func(b *testing.B) {
		perSecond(b, func(int) message { return message{op: dimse.CEcho} }, "in-process-echoes/s")
	})
	b.Run("Store64x64", func(b *testing.B) {
		perSecond(b, func(n int) message { return message{op: dimse.CStore, data: ctImage(b, n, 64)} }, "in-process-stores/s")
	})
	b.Run("Store512x512", func(b *testing.B) {
		b.SetBytes(512 * 512 * 2)
		perSecond(b, func(n int) message { return message{op: dimse.CStore, data: ctImage(b, n, 512)} }, "in-process-stores/s")
	})
	b.Run("ShutdownOf5", func(b *testing.B) {
		for range b.N {
			b.StopTimer()
			s, done := held(b, 5)
			b.StartTimer()
			if err := s.Shutdown(b.Context()); err != nil {
				b.Fatal(err)
			}
			<-done
		}
	})
}

func request() *ul.AssociateRQ {
	return &ul.AssociateRQ{Called: "SCP", Calling: "SCU", ApplicationContext: ul.ApplicationContext,
		Contexts: []ul.ProposedContext{{ID: 1, AbstractSyntax: uid.Verification, TransferSyntaxes: []uid.UID{uid.ImplicitVRLittleEndian}}}}
}

// accept answers a request as a server does that takes all.
func accept(rq *ul.AssociateRQ) *ul.AssociateAC {
	ac := &ul.AssociateAC{Called: rq.Called, Calling: rq.Calling, ApplicationContext: rq.ApplicationContext}
	for _, c := range rq.Contexts {
		ac.Contexts = append(ac.Contexts, ul.AnsweredContext{ID: c.ID, TransferSyntax: c.TransferSyntaxes[0]})
	}
	return ac
}

// message is a request and, with its answer, a response.
type message struct {
	op     dimse.Op
	data   *dicom.DataSet
	answer chan dimse.Status
}

// perSecond sends messages through a queue to a handler and waits for each answer.
func perSecond(b *testing.B, make1 func(int) message, unit string) {
	queue := make(chan message, 1)
	counted := 0
	go func() {
		for m := range queue {
			if m.op == dimse.CEcho || m.data.UID(tag.SOPInstanceUID) != "" {
				counted++
			}
			m.answer <- dimse.Success
		}
	}()
	answer := make(chan dimse.Status, 1)
	b.ResetTimer()
	for n := range b.N {
		m := make1(n)
		m.answer = answer
		queue <- m
		<-answer
	}
	b.StopTimer()
	close(queue)
	if counted != b.N {
		b.Fatalf("%d of %d counted", counted, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), unit)
}

// ctImage makes a CT data set of side by side pixels of 16 bits.
func ctImage(b *testing.B, n, side int) *dicom.DataSet {
	ds, err := new(dicom.DataSet).Edit().SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, uid.UID(fmt.Sprint("1.2.3.", n))).
		SetUID(tag.StudyInstanceUID, "1.2.3").SetUID(tag.SeriesInstanceUID, "1.2.3.4").SetText(tag.PatientID, "P").
		SetInt(tag.Rows, int64(side)).SetInt(tag.Columns, int64(side)).SetBytes(tag.PixelData, vr.OW, make([]byte, side*side*2)).Build()
	if err != nil {
		b.Fatal(err)
	}
	return ds
}

// held serves associations that do nothing.
func held(b *testing.B, n int) (*dimse.Server, <-chan error) {
	s, addr, done := listening(b)
	for range n {
		d := dimse.Dialer{Calling: "HELD", Contexts: []dimse.Context{{Class: uid.Verification}}}
		a, err := d.Dial(b.Context(), "SCP", addr)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { a.Abort() })
	}
	return s, done
}

// BenchmarkUnderLoad measures over TCP: ten workers beside one, each with an association of
// its own, and how long a server takes to end that eight associations store to and five
// hold.
func BenchmarkUnderLoad(b *testing.B) {
	all := startContenders(b, "gantry", "storescp", "orthanc")
	for _, c := range all {
		one := c.bench(b, "echo").PerSecond
		b.ReportMetric(c.bench(b, "echo", "-j", "10").PerSecond/one, "10-workers-"+c.name)
	}
	b.ReportMetric(shutdownUnderLoad(b).Seconds(), "s-to-shut-down")
	b.ReportMetric(0, "ns/op")
}

func shutdownUnderLoad(b *testing.B) time.Duration {
	s := serve(b, "--log-level", "error")
	c := contender{name: "gantry", aet: "GANTRY", port: s.port}
	for range 5 {
		a := c.dial(b, ctContext)
		defer a.Abort()
	}
	ct := newCT(b, 1)
	var wg sync.WaitGroup
	for range 8 {
		a := c.dial(b, ctContext)
		wg.Go(func() {
			defer a.Abort()
			for c.store(a, ct) == nil {
			}
		})
	}
	time.Sleep(300 * time.Millisecond)
	begun := time.Now()
	s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		b.Error(err)
	}
	took := time.Since(begun)
	wg.Wait()
	return took
}

func echoing() dimse.Handler {
	m := new(dimse.ServeMux)
	m.HandleFunc(dimse.CEcho, uid.Verification, func(w dimse.ResponseWriter, _ *dimse.Request) { w.Final(dimse.Success, nil) })
	return m
}

// listening is a server of C-ECHO in this process.
func listening(b *testing.B) (*dimse.Server, string, <-chan error) {
	s := &dimse.Server{AETitle: "SCP", Handler: echoing(), Log: slog.New(slog.DiscardHandler)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.WithoutCancel(b.Context()), l) }()
	return s, l.Addr().String(), done
}
