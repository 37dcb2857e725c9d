package dicomtest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"gantry/dimse"
)

// Serve serves s on a free loopback port until the test ends, and returns the address.
// Without AETitle the server is called SCP; without Log it logs nothing. A server that does
// not end in time, with goroutines left behind, fails the test.
func Serve(t testing.TB, s *dimse.Server) string {
	t.Helper()
	if s.AETitle == "" {
		s.AETitle = "SCP"
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		s.Shutdown(ctx)
		select {
		case err := <-done:
			if !errors.Is(err, dimse.ErrServerClosed) {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("the server does not end")
		}
	})
	return l.Addr().String()
}

// Dial opens an association with the server that Serve started; it is aborted when the test
// ends, if it still lives.
func Dial(t testing.TB, addr string, contexts ...dimse.Context) *dimse.Assoc {
	t.Helper()
	d := dimse.Dialer{Calling: "SCU", Contexts: contexts}
	a, err := d.Dial(context.Background(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Abort() })
	return a
}
