package compact_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index/memory"
	"gantry/internal/vfs"
)

const lived = 40 // objects of outlived, of which each third is purged

// outlived is an archive whose segments hold objects that are gone, before a round.
func outlived(t *testing.T) *vfs.Mem {
	mem := vfs.NewMem()
	w := open(t, mem, new(memory.Index), fsblob.Pack)
	for i := range lived {
		if err := w.send(i); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < lived; i += 3 {
		if err := errors.Join(w.delete(i), w.purge(i)); err != nil {
			t.Fatal(err)
		}
	}
	w.close()
	return mem
}

// whole reads every object that lives.
func (w *world) whole(when string) {
	w.t.Helper()
	for i := range lived {
		if there := w.check(i) != ""; there != (i%3 > 0) {
			w.t.Fatalf("%s: object %d is there: %t", when, i, there)
		}
	}
}

var rounds = []struct {
	name    string
	naming  fsblob.Naming
	migrate bool
}{{"compact", fsblob.Pack, false}, {"migrate", fsblob.Flat, true}}

// TestDiskFull lets the disk end at any byte of a rewriting (R05): all objects can be read
// all the time, and with room again the rewriting ends with no more on the disk than one
// that always had room.
func TestDiskFull(t *testing.T) {
	ctx, before := context.Background(), outlived(t)
	for _, how := range rounds {
		t.Run(how.name, func(t *testing.T) {
			enough, short := int64(0), 0
			for _, quota := range append([]int64{-1}, quotas()...) {
				mem := before.Crash(rand.New(rand.NewPCG(1, 1)))
				w := open(t, mem, new(memory.Index), how.naming)
				if quota >= 0 {
					mem.SetQuota(mem.Used() + quota)
				}
				c := w.compactor(how.migrate)
				err := c.Round(ctx)
				if err != nil && !vfs.IsNoSpace(err) {
					t.Fatalf("quota %d: %v", quota, err)
				}
				w.whole("disk full")
				mem.SetQuota(-1)
				done := c.Segments.Load()
				if err := c.Round(ctx); err != nil {
					t.Fatalf("quota %d, room again: %v", quota, err)
				}
				if c.Segments.Load() > done {
					short++
				}
				w.whole("room again")
				if enough == 0 {
					enough = mem.Used()
				}
				if mem.Used() != enough {
					t.Errorf("quota %d: %d bytes are left, %d without shortage", quota, mem.Used(), enough)
				}
				w.close()
				open(t, mem.Crash(rand.New(rand.NewPCG(2, 2))), new(memory.Index), how.naming).whole("after a power cut")
			}
			if short < 10 {
				t.Errorf("only %d times the room was too short", short)
			}
		})
	}
}

func quotas() (out []int64) {
	for q := int64(0); q < 70_000; q += int64(max(1, 1499/long(1))) {
		out = append(out, q)
	}
	return out
}

// TestErrorAtEachCall makes single calls of a rewriting fail once: nothing is lost by it,
// also when the power goes then, and the next round does what is left.
func TestErrorAtEachCall(t *testing.T) {
	ctx, before := context.Background(), outlived(t)
	for _, how := range rounds {
		t.Run(how.name, func(t *testing.T) {
			for n, hit := 0, true; hit; n += max(1, 7/long(1)) {
				mem := before.Crash(rand.New(rand.NewPCG(3, 3)))
				f := &vfs.Fault{FS: mem}
				w := open(t, f, new(memory.Index), how.naming)
				hit = false
				var mu sync.Mutex
				left := n
				f.Hook = func(vfs.Call) error {
					mu.Lock()
					defer mu.Unlock()
					left--
					if left != -1 {
						return nil
					}
					hit = true
					return errors.New("EIO")
				}
				_ = w.compactor(how.migrate).Round(ctx)
				f.Hook = nil
				w.whole("after an error")
				w.close()
				w = open(t, mem.Crash(rand.New(rand.NewPCG(uint64(n), 4))), new(memory.Index), how.naming)
				w.whole("after an error and a power cut")
				if err := w.compactor(how.migrate).Round(ctx); err != nil {
					t.Fatalf("call %d failed; the next round: %v", n, err)
				}
				w.whole("after the next round")
				w.close()
			}
		})
	}
}
