package pixel

import (
	"context"
	"iter"
	"sync"
)

// outcome is what a job gave.
type outcome[T any] struct {
	value T
	err   error
}

// ordered does n jobs with some workers and yields what they give in order, holding at
// most ahead of them. The first error ends it. When the loop ends, all workers have.
func ordered[T any](ctx context.Context, n, workers, ahead int, job func(context.Context, int) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		work := make(chan int, ahead)
		slots := make([]chan outcome[T], ahead)
		for k := range slots {
			slots[k] = make(chan outcome[T], 1)
		}
		var wg sync.WaitGroup
		defer wg.Wait()
		defer close(work)
		defer cancel()
		for range min(workers, n) {
			wg.Go(func() {
				for i := range work {
					v, err := job(ctx, i)
					slots[i%ahead] <- outcome[T]{v, err}
				}
			})
		}
		given := 0
		for i := range n {
			for ; given < n && given < i+ahead; given++ {
				work <- given
			}
			o := <-slots[i%ahead]
			if !yield(o.value, o.err) || o.err != nil {
				return
			}
		}
	}
}
