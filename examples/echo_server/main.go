// Echo_server answers C-ECHO, as ECHO on the address given (default 127.0.0.1:11112).
// Try: echoscu -aec ECHO 127.0.0.1 11112
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"

	"gantry/dimse"
	"gantry/service/verify"
)

func main() {
	addr := "127.0.0.1:11112"
	if len(os.Args) > 1 {
		addr = os.Args[1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", addr)
	if err == nil {
		err = serve(ctx, l)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves until ctx ends.
func serve(ctx context.Context, l net.Listener) error {
	mux := new(dimse.ServeMux)
	verify.Register(mux)
	s := &dimse.Server{AETitle: "ECHO", Handler: mux}
	if err := s.Serve(ctx, l); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
