package ecg

import (
	"math"
	"slices"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// The size of a page in mm: A4 lying down.
const (
	Width  = 297.0
	Height = 210.0
)

// The rest of the page, in mm.
const (
	left, top    = 23.5, 30.0
	perSecond    = 25.0
	perMillivolt = 10.0
	right        = left + seconds*perSecond
	bottom       = top + 170.0
)

// Page is an electrocardiogram drawn on a page. It may be written by any number of
// goroutines.
type Page struct {
	traces []line // black
	texts  []label
}

// line goes through points, mm from the upper left corner.
type line []point

type point struct{ x, y float64 }

type label struct {
	at   point
	size float64 // mm
	text string
}

// twelve is the usual order: a column has three leads.
var twelve = [4][3]string{{"I", "II", "III"}, {"aVR", "aVL", "aVF"}, {"V1", "V2", "V3"}, {"V4", "V5", "V6"}}

// NewPage draws the first multiplex group of ds that is measured in volts. The twelve leads
// are in three rows and four columns above a rhythm strip; other sets of leads are in a row
// each, the first twelve of them. Errors are FormatError and *dicom.ValueError.
func NewPage(ds *dicom.DataSet) (*Page, error) {
	g, err := read(ds)
	if err != nil {
		return nil, err
	}
	p := new(Page)
	p.heading(ds)
	if g.isTwelve() {
		p.twelveLeads(g)
		return p, nil
	}
	n := min(len(g.leads), 12)
	for i, l := range g.leads[:n] {
		p.strip(g, &l, left, top+170*(float64(i)+0.5)/float64(n), 0, seconds)
	}
	return p, nil
}

func (g *group) find(name string) *lead {
	i := slices.IndexFunc(g.leads, func(l lead) bool { return l.name == name })
	if i < 0 {
		return nil
	}
	return &g.leads[i]
}

func (g *group) isTwelve() bool {
	for _, column := range twelve {
		for _, name := range column {
			if g.find(name) == nil {
				return false
			}
		}
	}
	return true
}

// twelveLeads draws the columns one after the other in time, and lead II below.
func (p *Page) twelveLeads(g *group) {
	const each = seconds / 4.0
	for c, column := range twelve {
		for r, name := range column {
			from := each * float64(c)
			p.strip(g, g.find(name), left+from*perSecond, top+22.5+42.5*float64(r), from, from+each)
		}
	}
	p.strip(g, g.find("II"), left, top+150, 0, seconds)
}

// strip draws a lead from one time to another, with its zero at y. A pulse of a millivolt
// stands in front of those that begin the page.
func (p *Page) strip(g *group, l *lead, x, y, from, to float64) {
	p.texts = append(p.texts, label{point{x + 1, y - 15}, 4, l.name})
	if from == 0 {
		p.traces = append(p.traces, line{{x - 9, y}, {x - 7, y}, {x - 7, y - perMillivolt}, {x - 2, y - perMillivolt}, {x - 2, y}, {x, y}})
	} else {
		p.traces = append(p.traces, line{{x, y - 4}, {x, y + 4}})
	}
	first := max(int(math.Ceil((from-l.skew)*g.rate)), 0)
	last := min(int(math.Ceil((to-l.skew)*g.rate)), len(l.mv))
	var trace line
	step := max((last-first)/maxPoints, 1)
	for i := first; i < last; i += step {
		low, high := extremes(l.mv[i:min(i+step, last)])
		if math.IsNaN(low) {
			p.add(trace)
			trace = nil
			continue
		}
		at := x + (float64(i)/g.rate+l.skew-from)*perSecond
		if trace = append(trace, point{at, onPage(y - low*perMillivolt)}); high > low {
			trace = append(trace, point{at, onPage(y - high*perMillivolt)})
		}
	}
	p.add(trace)
}

// maxPoints bounds the points of a trace: more cannot be told apart.
const maxPoints = 5000

func (p *Page) add(trace line) {
	if len(trace) > 1 {
		p.traces = append(p.traces, trace)
	}
}

// extremes are the least and the greatest value, NaN where there is none.
func extremes(v []float64) (low, high float64) {
	low, high = math.NaN(), math.NaN()
	for _, x := range v {
		if !(x >= low) && !math.IsNaN(x) {
			low = x
		}
		if !(x <= high) && !math.IsNaN(x) {
			high = x
		}
	}
	return low, high
}

// onPage keeps a trace in the grid.
func onPage(y float64) float64 { return min(max(y, top), bottom) }

// heading says whose it is, and the scale.
func (p *Page) heading(ds *dicom.DataSet) {
	say := func(x, y float64, s string) {
		if r := []rune(s); len(r) > 80 {
			s = string(r[:80])
		}
		p.texts = append(p.texts, label{point{x, y}, 4, s})
	}
	say(left, 12, ds.Text(tag.PatientName))
	say(left, 18, "ID "+ds.Text(tag.PatientID)+"   born "+ds.Text(tag.PatientBirthDate)+"   "+ds.Text(tag.PatientSex))
	taken := ds.Text(tag.AcquisitionDateTime)
	if taken == "" {
		taken = ds.Text(tag.ContentDate) + ds.Text(tag.ContentTime)
	}
	say(left, 24, "taken "+taken)
	say(right-45, bottom+6, "25 mm/s   10 mm/mV")
}
