package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
)

const (
	traceDir = "GANTRY_TRACE_DIR"
	traceLag = "GANTRY_TRACE_LAG" // set: the index lags behind the log
)

// traced is the archive whose system calls are recorded: index and objects in one folder,
// as gantry serve has them.
type traced struct {
	idx   *sqlite.Index
	store *fsblob.Store
	in    *ingest.Ingester
}

func openTraced(dir string) (*traced, error) {
	ctx := context.Background()
	w := new(traced)
	var err error
	if w.idx, err = sqlite.Open(ctx, filepath.Join(dir, "index.db"), sqlite.Options{Lag: os.Getenv(traceLag) != ""}); err != nil {
		return nil, err
	}
	st, err := w.idx.State(ctx)
	if err == nil {
		w.store, err = fsblob.Open(ctx, dir, fsblob.Options{SegmentSize: 1 << 20, PackMax: 64 << 10, MinFree: -1, Reserve: -1, Log: quiet, Applied: st.Applied})
	}
	if err == nil {
		w.in, err = ingest.New(ctx, w.store, w.idx, ingest.Options{Log: quiet})
	}
	if err != nil {
		w.close()
	}
	return w, err
}

func (w *traced) close() {
	if w.in != nil {
		_ = w.in.Close()
	}
	if w.store != nil {
		_ = w.store.Close()
	}
	_ = w.idx.Close()
}

// traceObject is object n of the recording; every eleventh is a file of its own.
func traceObject(t testing.TB, n int) (indextest.Object, []byte) {
	o := sample(n)
	size := 1000 + 300*(n%13)
	if n%11 == 10 || n == 29 {
		size = 80 << 10
	}
	return o, object(t, o, blobtest.Bytes(uint64(n), size))
}

const (
	tracedObjects = 60
	tracedSenders = 3
)

// traceChild stores objects, deletes every tenth again, half of these for good, and lets the index write its
// log back in between. It prints what was acknowledged, which the recording shows too.
func traceChild(dir string) {
	t := childTB{}
	w, err := openTraced(dir)
	if err != nil {
		t.Fatal(err)
	}
	for part := range 3 {
		var wg sync.WaitGroup
		for s := range tracedSenders {
			wg.Go(func() {
				for n := part*tracedObjects/3 + s; n < (part+1)*tracedObjects/3; n += tracedSenders {
					o, data := traceObject(t, n)
					out := mustSend(t, w.in, o, data)
					fmt.Fprintf(os.Stdout, "A %d\n", n)
					if n%10 != 9 {
						continue
					}
					target := ingest.Target{Instance: o.SOP, Record: out.Record}
					if err := w.in.Delete(context.Background(), target); err != nil {
						t.Fatal(err)
					}
					fmt.Fprintf(os.Stdout, "D %d\n", n)
					if n%20 != 9 {
						continue
					}
					fmt.Fprintf(os.Stdout, "B %d\n", n) // from here on it may be gone
					if err := w.in.Purge(context.Background(), target); err != nil {
						t.Fatal(err)
					}
					fmt.Fprintf(os.Stdout, "P %d\n", n)
				}
			})
		}
		wg.Wait()
		if _, err := w.idx.Age(context.Background(), time.Second); err != nil { // which is in no log
			t.Fatal(err)
		}
		fmt.Fprintf(os.Stdout, "F %d\n", part+1)
		if part == 1 {
			if err := w.idx.Checkpoint(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.close()
	fmt.Println("E 0")
}
