package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/vfs"
)

// life is what may be known of an object: an operation that a power cut interrupted leaves
// two answers.
type life string

const (
	absent  life = "absent"
	visible life = "visible"
	hidden  life = "deleted"
)

type lives struct {
	t     *testing.T
	w     *world
	rng   *rand.Rand
	state [6]life
	after [6]life // what an interrupted operation would have made of it
}

func (l *lives) object(n int) (indextest.Object, []byte) {
	o := sample(n)
	size := 3000 * (n + 1)
	if n == 5 {
		size = 5 << 20 // a file of its own
	}
	return o, object(l.t, o, blobtest.Bytes(uint64(n), size))
}

// step does something to an object and notes what became of it.
func (l *lives) step() error {
	n := l.rng.IntN(len(l.state))
	o, data := l.object(n)
	kept, err := l.w.idx.Kept(context.Background(), o.SOP)
	if err != nil {
		l.t.Fatal(err)
	}
	target := ingest.Target{Instance: o.SOP}
	if len(kept) > 0 {
		target.Record = kept[0].Record
	}
	next, do := visible, func() error { _, err := send(l.w.in, hint(o), data); return err }
	switch l.state[n] {
	case visible:
		next, do = hidden, func() error { return l.w.in.Delete(context.Background(), target) }
	case hidden:
		switch l.rng.IntN(3) {
		case 0:
			do = func() error { return l.w.in.Restore(context.Background(), target) }
		case 1:
			next, do = absent, func() error { return l.w.in.Purge(context.Background(), target) }
		}
	}
	l.after[n] = next
	err = do()
	if err == nil {
		l.state[n] = next
	}
	return err
}

// check compares the archive with what is known, after a cut with either outcome.
func (l *lives) check() {
	l.t.Helper()
	for n := range l.state {
		o, data := l.object(n)
		kept, err := l.w.idx.Kept(context.Background(), o.SOP)
		if err != nil {
			l.t.Fatal(err)
		}
		got := absent
		if len(kept) > 0 {
			got = visible
			if kept[0].Hidden {
				got = hidden
			}
		}
		if len(kept) > 1 || got != l.state[n] && got != l.after[n] {
			l.t.Fatalf("object %d is %s, %d versions; it was %s or %s", n, got, len(kept), l.state[n], l.after[n])
		}
		l.state[n], l.after[n] = got, got
		if got == absent {
			continue
		}
		ob, err := l.w.store.Open(context.Background(), kept[0].Ref)
		if err != nil {
			l.t.Fatalf("object %d is %s: %v", n, got, err)
		}
		b := make([]byte, kept[0].Sums.Data)
		_, err = ob.ReadAt(b, ob.Head())
		ob.Close()
		if err != nil || !bytes.Equal(b, data) {
			l.t.Fatalf("object %d is %s and its bytes are not those that came: %v", n, got, err)
		}
	}
}

// TestDeleteCrash is R19: the power fails at any call of the file system while objects are
// sent, deleted, restored, purged and sent again. The index is lost each time, so that what
// stands in the log alone decides: nothing purged returns, nothing restored is lost.
func TestDeleteCrash(t *testing.T) {
	for round := range long(20) {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(round), 19))
			mem := vfs.NewMem()
			l := &lives{t: t, rng: rng}
			for n := range l.state {
				l.state[n], l.after[n] = absent, absent
			}
			for range 6 {
				left := rng.IntN(120)
				off := errors.New("no power")
				armed := false
				f := &vfs.Fault{FS: mem, Hook: func(vfs.Call) error {
					if !armed {
						return nil
					}
					if left--; left < 0 {
						return off
					}
					return nil
				}}
				l.w = build(t, f, "/", new(memory.Index), ingest.Options{})
				l.check()
				armed = true
				for l.step() == nil {
				}
				l.w.close()
				mem = mem.Crash(rng)
			}
			l.w = build(t, mem, "/", new(memory.Index), ingest.Options{})
			l.check()
		})
	}
}

// TestPurgeRaces restores, by sending it again, what is being purged: an object that was
// acknowledged is there, whoever came first.
func TestPurgeRaces(t *testing.T) {
	ctx := context.Background()
	w := inMemory(t, ingest.Options{})
	for n := range 200 {
		o := sample(n)
		data := object(t, o, blobtest.Bytes(uint64(n), 2000))
		target := ingest.Target{Instance: o.SOP, Record: mustSend(t, w.in, o, data).Record}
		if err := w.in.Delete(ctx, target); err != nil {
			t.Fatal(err)
		}
		purged := make(chan error, 1)
		go func() { purged <- w.in.Purge(ctx, target) }()
		_, err := send(w.in, hint(o), data)
		if perr := <-purged; perr != nil && !errors.Is(perr, ingest.ErrNotDeleted) {
			t.Fatal(perr)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, locs := stored(t, w.store, w.idx, o.SOP); len(got) != 1 || !locs[0].Current || !bytes.Equal(got[0], data) {
			t.Fatalf("object %d was acknowledged and is not there: %d kept", n, len(got))
		}
	}
	errs := w.in.Each(ctx, record.Delete, []ingest.Target{{Instance: "1.2.3.1", Record: "none"}})
	if errs[0] == nil {
		t.Error("deleted what is not there")
	}
}
