package fsblob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"gantry/internal/archive/blob"
	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/vfs"
)

// TestRoom stages objects by reading into the store's memory and by writing, up to the
// largest one and beyond: both do the same.
func TestRoom(t *testing.T) {
	o := small(vfs.NewMem())
	o.MaxObject = 300_000
	s := open(t, "/store", o)
	for _, n := range []int{0, 1, firstChunk - 1, firstChunk, firstChunk + 1, 299_999, 300_000, 300_001, 500_000} {
		data := blobtest.Bytes(uint64(n), n)
		var sums [2]uint32
		for i, put := range []func(blob.Staged) error{byWriting(data), byRoom(data)} {
			g, err := s.Stage(context.Background(), blob.Hint{Head: blobtest.Head})
			if err != nil {
				t.Fatal(err)
			}
			e := blobtest.Envelope("1.2.3")
			err = put(g)
			if err == nil {
				err = g.Prepare(context.Background(), &e)
			}
			if (n > 300_000) != errors.Is(err, blob.ErrTooLarge) || n <= 300_000 && err != nil {
				t.Errorf("%d bytes, way %d: %v", n, i, err)
			}
			if sums[i] = g.Sum(); n <= 300_000 && g.Size() != int64(n) {
				t.Errorf("%d bytes became %d", n, g.Size())
			}
			got := make([]byte, n)
			if _, err := g.ReadAt(got, 0); n > 0 && n <= 300_000 && (err != nil || !bytes.Equal(got, data)) {
				t.Errorf("%d bytes, way %d: not what was put in: %v", n, i, err)
			}
			g.Discard()
		}
		if n <= 300_000 && sums[0] != sums[1] {
			t.Errorf("%d bytes: sums %x", n, sums)
		}
	}
	if s.staging.Load() != 0 {
		t.Errorf("%d bytes of the budget are not given back", s.staging.Load())
	}
}

func byWriting(data []byte) func(blob.Staged) error {
	return func(g blob.Staged) error {
		_, err := io.Copy(struct{ io.Writer }{g}, bytes.NewReader(data))
		return err
	}
}

func byRoom(data []byte) func(blob.Staged) error {
	return func(g blob.Staged) error {
		r := bytes.NewReader(data)
		for {
			room, err := g.(blob.Roomy).Room()
			if err != nil {
				return err
			}
			n, err := r.Read(room)
			if g.(blob.Roomy).Filled(n); err != nil {
				return nil
			}
		}
	}
}
