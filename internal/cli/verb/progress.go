package verb

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// How often progress is shown: a terminal's line is drawn anew, elsewhere lines are added.
const (
	redraw  = 200 * time.Millisecond
	newLine = 10 * time.Second
)

// progress shows how far long work is, by a line that it asks for. The zero value shows
// nothing.
type progress struct {
	s        *Stdio
	line     func() string
	terminal bool
	stop     chan struct{}
	mu       sync.Mutex
	drawn    bool
	ended    sync.WaitGroup
}

// newProgress begins to show, if it is wanted; end must be called.
func newProgress(s *Stdio, wanted bool, line func() string) *progress {
	p := &progress{s: s, line: line, terminal: isTerminal(s.Err)}
	if !wanted {
		return p
	}
	p.stop = make(chan struct{})
	p.ended.Go(p.run)
	return p
}

func (p *progress) run() {
	every := newLine
	if p.terminal {
		every = redraw
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			p.show()
		}
	}
}

func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.terminal {
		fmt.Fprintln(p.s.Err, p.line())
		return
	}
	p.drawn = true
	fmt.Fprintf(p.s.Err, "\r\x1b[K%s", p.line())
}

// howFar is what a line says: a bar and the time left where the whole is known, which zero
// is not.
func howFar(done, all, failed, bytes int64, d time.Duration) string {
	bar, left := "", ""
	if all > 0 && done > 0 {
		const width = 30
		full := int(width * done / all)
		bar = "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + fmt.Sprintf("] %d%% ", 100*done/all)
		left = fmt.Sprintf(", %v left", time.Duration(float64(d)*float64(all-done)/float64(done)).Round(time.Second))
	}
	of := ""
	if all > 0 {
		of = fmt.Sprintf(" of %d", all)
	}
	return fmt.Sprintf("%s%d%s, %d failed, %.1f MB/s%s", bar, done, of, failed, rate(bytes, d), left)
}

// clear takes the line away, so that a message can stand there.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.s.Err, "\r\x1b[K")
		p.drawn = false
	}
}

func (p *progress) end() {
	if p.stop == nil {
		return
	}
	close(p.stop)
	p.ended.Wait()
	p.clear()
	if !p.terminal {
		fmt.Fprintln(p.s.Err, p.line())
	}
}
