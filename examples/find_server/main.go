// Find_server answers C-FIND from a generator: the answers are made one by one, while the
// peer reads them, and no further than it wants.
// Try: findscu -S -aec FIND -k QueryRetrieveLevel=STUDY -k PatientName 127.0.0.1 11112
package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"os/signal"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dimse"
	"gantry/service/query"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:11112")
	if err == nil {
		err = serve(ctx, l, []string{"Doe^Jane", "Doe^John", "Roe^Richard"})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve serves until ctx ends.
func serve(ctx context.Context, l net.Listener, names []string) error {
	mux := new(dimse.ServeMux)
	query.Register(mux, finder(names), query.Options{})
	s := &dimse.Server{AETitle: "FIND", Handler: mux}
	if err := s.Serve(ctx, l); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// finder finds patients by the start of their name.
type finder []string

// Find implements query.Finder.
func (f finder) Find(ctx context.Context, q *query.Query) iter.Seq2[*dicom.DataSet, error] {
	prefix := strings.TrimSuffix(q.Identifier.Text(tag.PatientName), "*")
	return func(yield func(*dicom.DataSet, error) bool) {
		for _, name := range f {
			if ctx.Err() != nil { // C-CANCEL, abort, shutdown
				return
			}
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			answer, err := new(dicom.DataSet).Edit().
				SetText(tag.QueryRetrieveLevel, string(q.Level)).
				SetText(tag.PatientName, name).
				Build()
			if !yield(answer, err) || err != nil {
				return
			}
		}
	}
}
