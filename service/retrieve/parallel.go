package retrieve

import (
	"iter"
	"sync"

	"gantry/dimse"
)

// sideBySide runs work on n goroutines, the caller's among them, and returns when all have.
// A panic in one of them becomes the caller's, which keeps it to its association.
func sideBySide(n int, work func()) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var broken any
	for range n - 1 {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					mu.Lock()
					broken = p
					mu.Unlock()
				}
			}()
			work()
		})
	}
	defer func() {
		wg.Wait()
		if broken != nil {
			panic(broken)
		}
	}()
	work()
}

// feed hands what an iterator yields to several goroutines, until an error.
type feed struct {
	mu    sync.Mutex
	pull  func() (*dimse.Outgoing, error, bool)
	stop  func()
	ended bool
	err   error // of the iterator
}

func newFeed(instances iter.Seq2[*dimse.Outgoing, error]) *feed {
	f := &feed{}
	f.pull, f.stop = iter.Pull2(instances)
	return f
}

// next returns the next one, nil at the end.
func (f *feed) next() *dimse.Outgoing {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return nil
	}
	o, err, ok := f.pull()
	if !ok || err != nil {
		f.ended, f.err = true, err
		return nil
	}
	return o
}
