package cli

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
	"gantry/service/query"
	"gantry/service/retrieve"
)

// counting serves n objects and counts those that it was asked to send.
func counting(t *testing.T, n int, dest retrieve.Resolver) (asked *atomic.Int64, addr string) {
	t.Helper()
	a := new(dicomtest.Archive)
	for i := range n {
		if err := a.Add(dicomtest.Object{N: i}); err != nil {
			t.Fatal(err)
		}
	}
	asked = new(atomic.Int64)
	m := new(dimse.ServeMux)
	query.Register(m, a, query.Options{})
	counted := retrieve.RetrieverFunc(func(ctx context.Context, q *query.Query) (*retrieve.Retrieval, error) {
		r, err := a.Retrieve(ctx, q)
		if err == nil {
			asked.Add(int64(r.Count))
		}
		return r, err
	})
	retrieve.RegisterGet(m, counted, retrieve.Options{})
	retrieve.RegisterMove(m, counted, dest, retrieve.Options{})
	return asked, dicomtest.Serve(t, &dimse.Server{Handler: m, Policy: dimse.Policy{AnyCalled: true}})
}

// cutAfter forwards connections to addr and cuts each after so many bytes from there,
// until three were cut.
func cutAfter(t *testing.T, addr string, limit int64) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var cuts atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				p, err := net.Dial("tcp", addr)
				if err != nil {
					return
				}
				defer p.Close()
				go io.Copy(p, c)
				most := limit
				if cuts.Load() >= 3 {
					most = 1 << 40
				}
				if n, _ := io.Copy(c, io.LimitReader(p, most)); n == limit {
					cuts.Add(1)
				}
			}()
		}
	}()
	return "PACS@" + l.Addr().String()
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.dcm"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestGetGoesOn cuts the association three times: everything arrives, and little of it
// twice.
func TestGetGoesOn(t *testing.T) {
	asked, addr := counting(t, 100, nil)
	cut := cutAfter(t, addr, 20_000)
	dir := t.TempDir()
	key := "StudyInstanceUID=" + string(dicomtest.Study(0))
	code, out, errs := run(t, "get", cut, "-k", key, "--dir", dir)
	if code != ExitOK || len(files(t, dir)) != 100 || strings.Count(errs, "trying again") != 3 {
		t.Fatalf("%d, %d files: %s%s", code, len(files(t, dir)), out, errs)
	}
	if n := asked.Load(); n < 101 || n > 399 {
		t.Errorf("asked for %d objects", n)
	}
	for _, name := range files(t, dir)[:7] {
		os.Remove(name)
	}
	asked.Store(0)
	code, out, errs = run(t, "get", "PACS@"+addr, "-k", key, "--dir", dir, "--resume")
	if code != ExitOK || asked.Load() != 7 || !strings.Contains(out, "7 completed") || !strings.Contains(out, "93 were there already") {
		t.Errorf("%d, asked for %d: %s%s", code, asked.Load(), out, errs)
	}
	code, out, _ = run(t, "get", "PACS@"+addr, "--model", "patient", "-L", "PATIENT", "-k", "PatientID=P0", "--dir", dir, "--resume")
	if code != ExitOK || asked.Load() != 7 || !strings.Contains(out, "0 completed") {
		t.Errorf("nothing is missing: %d, asked for %d: %s", code, asked.Load()-7, out)
	}
}

func TestGetGivesUp(t *testing.T) {
	_, addr := counting(t, 100, nil)
	code, out, errs := run(t, "get", cutAfter(t, addr, 20_000), "-k", "StudyInstanceUID="+string(dicomtest.Study(0)), "--dir", t.TempDir(), "--retries", "0")
	if code != ExitFailed || strings.Contains(errs, "trying again") {
		t.Errorf("%d: %s%s", code, out, errs)
	}
}

// TestMoveWhatIsMissing asks the destination what it has.
func TestMoveWhatIsMissing(t *testing.T) {
	there, to := peer(t, dicomtest.Object{N: 3}, dicomtest.Object{N: 15})
	_, destAddr, _ := strings.Cut(to, "@")
	resolve := retrieve.ResolverFunc(func(context.Context, *dimse.Request, dimse.AETitle) (*retrieve.Destination, error) {
		return &retrieve.Destination{Called: "DEST", Addr: destAddr, Dialer: dimse.Dialer{Calling: "PACS"}}, nil
	})
	asked, addr := counting(t, 20, resolve)
	key := "StudyInstanceUID=" + string(dicomtest.Study(0))
	code, out, errs := run(t, "move", "PACS@"+addr, "--dest", "DEST", "--have", to, "--resume", "-k", key)
	if code != ExitOK || asked.Load() != 18 || len(there.Objects()) != 20 {
		t.Errorf("%d, asked for %d, %d there: %s%s", code, asked.Load(), len(there.Objects()), out, errs)
	}
}

// TestGetBelievesNoClaims meets a peer that says it has sent an object, has not, and ends
// the association, each time: the retries come to an end.
func TestGetBelievesNoClaims(t *testing.T) {
	var asked atomic.Int64
	a := new(dicomtest.Archive)
	if err := a.Add(dicomtest.Object{N: 0}); err != nil {
		t.Fatal(err)
	}
	m := new(dimse.ServeMux)
	query.Register(m, a, query.Options{})
	m.HandleFunc(dimse.CGet, uid.StudyRootQueryRetrieveInformationModelGet, func(w dimse.ResponseWriter, _ *dimse.Request) {
		n := uint16(asked.Add(1))
		w.Send(&dimse.Response{Status: dimse.PendingMatch, SubOps: &dimse.SubOperations{Completed: n, Remaining: 1}})
		panic("gone")
	})
	addr := dicomtest.Serve(t, &dimse.Server{Handler: m, Policy: dimse.Policy{AnyCalled: true}, Log: slog.New(slog.DiscardHandler)})
	code, out, errs := run(t, "get", "PACS@"+addr, "-k", "StudyInstanceUID="+string(dicomtest.Study(0)), "--dir", t.TempDir(), "--retries", "2")
	if code != ExitFailed || asked.Load() != 3 {
		t.Errorf("%d, asked %d times: %s%s", code, asked.Load(), out, errs)
	}
}
