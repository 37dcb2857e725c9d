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

// progress shows how far a Store is. The zero value shows nothing.
type progress struct {
	s        *Stdio
	t        *storing
	terminal bool
	stop     chan struct{}
	mu       sync.Mutex
	drawn    bool
	ended    sync.WaitGroup
}

func newProgress(s *Stdio, o *Store, t *storing) *progress {
	p := &progress{s: s, t: t, terminal: isTerminal(s.Err)}
	if o.Say == Quiet || o.Say >= Verbose || o.Form == DCMTK || !p.terminal && !o.Progress {
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

// line is what is shown: a bar and the time left once all is known that there is to send.
func (p *progress) line() string {
	t := p.t
	done, found, d := t.sent.Load()+t.failed.Load(), t.found.Load(), time.Since(t.start)
	counts := fmt.Sprintf("%d of %d", done, found)
	bar, left := "", ""
	if t.scanned.Load() && found > 0 && done > 0 {
		const width = 30
		full := int(width * done / found)
		bar = "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + fmt.Sprintf("] %d%% ", 100*done/found)
		left = fmt.Sprintf(", %v left", time.Duration(float64(d)*float64(found-done)/float64(done)).Round(time.Second))
	}
	return fmt.Sprintf("%s%s, %d failed, %.1f MB/s%s", bar, counts, t.failed.Load(), rate(t.bytes.Load(), d), left)
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
