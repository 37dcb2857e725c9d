package dimsefront

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"gantry/dimse"
)

// TestTurns: high goes before medium before low, every fourth turn goes to the oldest, and
// who leaves the queue holds nothing.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &turns{Parallel: 1}
		ctx := context.Background()
		done, err := q.take(ctx, dimse.PriorityMedium)
		if err != nil {
			t.Fatal(err)
		}
		order := make(chan string, 16)
		wait := func(name string, p dimse.Priority) {
			go func() {
				done, err := q.take(ctx, p)
				if err != nil {
					t.Error(err)
					return
				}
				order <- name
				done()
			}()
			synctest.Wait()
		}
		wait("low", dimse.PriorityLow)
		wait("medium 1", dimse.PriorityMedium)
		gone, leave := context.WithTimeout(ctx, time.Second)
		defer leave()
		if _, err := q.take(gone, dimse.PriorityHigh); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		for _, name := range []string{"high 1", "high 2", "high 3", "high 4"} {
			wait(name, dimse.PriorityHigh)
		}
		done()
		synctest.Wait()
		for _, want := range []string{"high 1", "high 2", "high 3", "low", "high 4", "medium 1"} {
			if got := <-order; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		if q.busy != 0 || len(q.waiting) != 0 {
			t.Errorf("%d busy, %d waiting", q.busy, len(q.waiting))
		}
	})
}

// TestTurnsAreNotLost: many at once, some of which give up.
func TestTurnsAreNotLost(t *testing.T) {
	q := &turns{Parallel: 3}
	ended := make(chan struct{})
	for i := range 200 {
		go func() {
			defer func() { ended <- struct{}{} }()
			ctx, stop := context.WithTimeout(context.Background(), time.Duration(i%7)*time.Millisecond)
			defer stop()
			if done, err := q.take(ctx, dimse.Priority(i%3)); err == nil {
				time.Sleep(time.Millisecond)
				done()
			}
		}()
	}
	for range 200 {
		<-ended
	}
	if q.busy != 0 || len(q.waiting) != 0 {
		t.Errorf("%d busy, %d waiting", q.busy, len(q.waiting))
	}
}
