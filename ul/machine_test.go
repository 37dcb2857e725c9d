package ul

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// standardTable is PS3.8 table 9-10 written down a second time, column by column, so that
// a slip in machine.go cannot hide: one line a state, one cell an event, in order.
const standardTable = `
Sta1  AE-1/4 - - - AE-5/2 - - - - - - - - - - - - - -
Sta2  - - AA-1/13 AA-1/13 - AE-6/3,13 - - - AA-1/13 - AA-1/13 AA-1/13 - - AA-2/1 AA-5/1 AA-2/1 AA-1/13
Sta3  - - AA-8/13 AA-8/13 - AA-8/13 AE-7/6 AE-8/13 - AA-8/13 - AA-8/13 AA-8/13 - AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta4  - AE-2/5 - - - - - - - - - - - - AA-2/1 - AA-4/1 - -
Sta5  - - AE-3/6 AE-4/1 - AA-8/13 - - - AA-8/13 - AA-8/13 AA-8/13 - AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta6  - - AA-8/13 AA-8/13 - AA-8/13 - - DT-1/6 DT-2/6 AR-1/7 AR-2/8 AA-8/13 - AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta7  - - AA-8/13 AA-8/13 - AA-8/13 - - - AR-6/7 - AR-8/9,10 AR-3/1 - AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta8  - - AA-8/13 AA-8/13 - AA-8/13 - - AR-7/8 AA-8/13 - AA-8/13 AA-8/13 AR-4/13 AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta9  - - AA-8/13 AA-8/13 - AA-8/13 - - - AA-8/13 - AA-8/13 AA-8/13 AR-9/11 AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta10 - - AA-8/13 AA-8/13 - AA-8/13 - - - AA-8/13 - AA-8/13 AR-10/12 - AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta11 - - AA-8/13 AA-8/13 - AA-8/13 - - - AA-8/13 - AA-8/13 AR-3/1 - AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta12 - - AA-8/13 AA-8/13 - AA-8/13 - - - AA-8/13 - AA-8/13 AA-8/13 AR-4/13 AA-1/13 AA-3/1 AA-4/1 - AA-8/13
Sta13 - - AA-6/13 AA-6/13 - AA-7/13 - - - AA-6/13 - AA-6/13 AA-6/13 - - AA-2/1 AR-5/1 AA-2/1 AA-7/13`

func cellText(t Transition) string {
	if t.Action == ActionNone {
		return "-"
	}
	s := t.Action.String() + "/" + strings.TrimPrefix(t.Next.String(), "Sta")
	if t.Alt != 0 {
		s += "," + strings.TrimPrefix(t.Alt.String(), "Sta")
	}
	return s
}

func TestMachineEveryCell(t *testing.T) {
	cells := 0
	for i, line := range strings.Split(strings.TrimSpace(standardTable), "\n") {
		f := strings.Fields(line)
		s := State(i + 1)
		if f[0] != s.String() || len(f) != 20 {
			t.Fatalf("line %d: %q", i, line)
		}
		for j, want := range f[1:] {
			e := Event(j + 1)
			got, ok := Lookup(s, e)
			if cellText(got) != want || ok != (want != "-") {
				t.Errorf("%v %v: %s, want %s", s, e, cellText(got), want)
			}
			cells++
		}
	}
	if cells != 13*19 {
		t.Fatalf("%d cells tested", cells)
	}
}

// TestMachineRandomWalk drives the table with random events from both starts: an empty
// cell must leave the state alone, the machine must end in Sta1 when the transport goes,
// and nothing but Sta1 and Sta4 may lack an answer to a received PDU.
func TestMachineRandomWalk(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 9))
	visited := map[State]bool{}
	for range 20000 {
		s := Sta1
		for range 80 {
			e := Event(1 + rnd.IntN(19))
			if rnd.IntN(10) < 9 { // rarely an end, or the walk sees no release
				e = [...]Event{Evt1, Evt2, Evt3, Evt5, Evt6, Evt7, Evt9, Evt10, Evt11, Evt12, Evt13, Evt14}[rnd.IntN(12)]
			}
			tr, ok := Lookup(s, e)
			if !ok {
				received := e == Evt3 || e == Evt4 || e == Evt6 || e == Evt10 || e == Evt12 || e == Evt13 || e == Evt16 || e == Evt19
				if received && s != Sta1 && s != Sta4 {
					t.Fatalf("%v has no answer to %v", s, e)
				}
				continue
			}
			s = tr.Next
			if tr.Alt != 0 && rnd.IntN(2) == 0 {
				s = tr.Alt
			}
			visited[s] = true
		}
		if s != Sta1 {
			tr, ok := Lookup(s, Evt17)
			if !ok || tr.Next != Sta1 {
				t.Fatalf("%v does not end when the transport closes", s)
			}
		}
	}
	if len(visited) != 13 {
		t.Errorf("the walk saw %d states", len(visited))
	}
}

func TestLookupOutOfRange(t *testing.T) {
	for _, c := range [][2]int{{0, 1}, {14, 1}, {1, 0}, {1, 20}, {255, 255}} {
		if _, ok := Lookup(State(c[0]), Event(c[1])); ok {
			t.Errorf("Lookup(%d, %d) found a cell", c[0], c[1])
		}
	}
	if s := Action(200).String(); s != "Action(200)" {
		t.Error(s)
	}
}
