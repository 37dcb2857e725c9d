package verb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/config"
	"gantry/internal/server"
	"gantry/internal/tlsconf"
)

// testPatient begins the names and IDs of patients, which nobody takes for real ones.
const testPatient = "GANTRYSELFTEST"

// testTitle is the AE title that calls.
const testTitle = "GANTRYTEST"

// world is what scenarios work on.
type world struct {
	peer    Peer
	overTLS *Peer // nil: it was not said how
	own     bool
	sink    *kept               // what C-MOVE brings; nil: nothing can come
	events  chan *dicom.DataSet // event reports, on whatever association they come
	sent    atomic.Int64
	stops   []func()
}

func (w *world) close() {
	for i := len(w.stops) - 1; i >= 0; i-- {
		w.stops[i]()
	}
}

// world finds the peer, or starts one.
func (o *Selftest) world(ctx context.Context, s *Stdio) (_ *world, err error) {
	w := &world{own: o.Target == "", events: make(chan *dicom.DataSet, 100)}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.own {
		return w, o.start(ctx, s, w)
	}
	if err := o.Peer.Parse(o.Target); err != nil {
		return nil, err
	}
	if w.peer = o.Peer; o.TLS {
		w.overTLS = &w.peer
	}
	if o.Receive > 0 {
		if _, err := w.receive(":" + strconv.Itoa(o.Receive)); err != nil {
			return nil, err
		}
	}
	a, err := w.peer.dial(ctx, []dimse.Context{{}})
	var rejected *dimse.RejectedError
	if err != nil && !errors.As(err, &rejected) { // a scenario's to complain about
		return nil, err
	}
	if a != nil {
		a.Abort()
	}
	return w, nil
}

// receive starts what C-MOVE sends to and returns its port.
func (w *world) receive(addr string) (int, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return 0, Fail(Connect, "port to receive on: %w", err)
	}
	w.sink = new(kept)
	mux := receiver(w.sink)
	mux.Handle(dimse.NEventReport, uid.StorageCommitmentPushModel, w.reports())
	server := &dimse.Server{AETitle: testTitle, Handler: mux, Policy: dimse.Policy{AnyCalled: true}, Log: quietLog(&Stdio{Err: io.Discard}, Quiet)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(ctx, l)
	}()
	w.stops = append(w.stops, func() {
		cancel()
		<-done
	})
	return l.Addr().(*net.TCPAddr).Port, nil
}

// reports takes event reports (PS3.4 J.3.3).
func (w *world) reports() dimse.Handler {
	return dimse.HandlerFunc(func(rw dimse.ResponseWriter, r *dimse.Request) {
		ds, err := r.ReadDataSet()
		if err != nil {
			dimse.Fail(rw, r, err)
			return
		}
		select {
		case w.events <- ds:
		default: // nobody asked for so many
		}
		rw.Final(dimse.Success, nil)
	})
}

// ownConfig is the archive of our own: open to all, on loopback, on any port.
const ownConfig = `
server: {ae_title: SELFTEST, bind: 127.0.0.1, port: 0, unknown_ae: serve, shutdown_timeout: 5s}
storage: {directory: %q}
tls: {enabled: true, port: %d, cert_path: %q, key_path: %q, ca_path: %q}
http: {address: ""}
peers: ['%s:127.0.0.1:%d']
`

// start runs an archive in a folder that goes with it.
func (o *Selftest) start(ctx context.Context, s *Stdio, w *world) error {
	dir, err := os.MkdirTemp("", "gantry-selftest-")
	if err != nil {
		return Fail(Output, "%w", err)
	}
	w.stops = append(w.stops, func() { os.RemoveAll(dir) })
	certs := filepath.Join(dir, "certs")
	if err := tlsconf.Generate(certs, []string{"localhost", "127.0.0.1"}, 24*time.Hour, time.Now()); err != nil {
		return Fail(Output, "%w", err)
	}
	port, err := w.receive("127.0.0.1:0")
	if err != nil {
		return err
	}
	secure, err := freePort()
	if err != nil {
		return Fail(Connect, "%w", err)
	}
	l := config.NewLoader()
	l.YAML("selftest", fmt.Appendf(nil, ownConfig, filepath.Join(dir, "data"), secure, filepath.Join(certs, "server.pem"), filepath.Join(certs, "server.key"),
		filepath.Join(certs, "ca.pem"), testTitle, port))
	cfg, err := l.Done()
	if err != nil {
		return Fail(Failed, "%w", err)
	}
	console := io.Discard
	if o.Say >= Verbose {
		console = s.Err
	}
	archive, err := server.New(ctx, cfg, console)
	if err != nil {
		return Fail(Failed, "%w", err)
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		archive.Run(serving)
	}()
	w.stops = append(w.stops, func() {
		cancel()
		<-done
	})
	w.peer = Peer{Called: "SELFTEST", Calling: testTitle, Addr: archive.DICOMAddr().String(), Associate: 30 * time.Second, Respond: time.Minute}
	over := w.peer
	over.TLS, over.Addr = true, net.JoinHostPort("127.0.0.1", strconv.Itoa(secure))
	over.Secure.CA = filepath.Join(certs, "ca.pem")
	w.overTLS = &over
	return nil
}

// freePort finds one that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
