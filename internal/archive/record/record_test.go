package record

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEnvelopeRoundTrip(t *testing.T) {
	now := time.Date(2026, 11, 21, 6, 0, 0, 123, time.UTC)
	e := Envelope{V: Version, Kind: Put, ID: NewID(now), Received: now, Source: "CT1", Instance: "1.2.3",
		PatientID: "Ä\n\"=", Number: 2, Conflict: true, Meta: []byte{0, 1, 255},
		Coercions: []Coercion{{Tag: 0x00100010, From: "a", To: "b"}}}
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Unmarshal(b)
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestEnvelopeLimits(t *testing.T) {
	e := Envelope{Meta: make([]byte, MaxEnvelope)}
	if _, err := e.Marshal(); err == nil {
		t.Error("an oversized envelope was encoded")
	}
	if _, err := Unmarshal([]byte(strings.Repeat(" ", MaxEnvelope+1))); !errors.Is(err, ErrEnvelope) {
		t.Error(err)
	}
	if _, err := Unmarshal([]byte(`{"v":2}`)); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
	if _, err := Unmarshal([]byte(`[`)); !errors.Is(err, ErrEnvelope) {
		t.Error(err)
	}
}

func TestIDsOrderByTime(t *testing.T) {
	now := time.Now()
	a, b := NewID(now), NewID(now.Add(time.Millisecond))
	if len(a) != 24 || a >= b || NewID(now) == a {
		t.Errorf("%s %s", a, b)
	}
}

func TestPositionOrder(t *testing.T) {
	for _, c := range []struct {
		a, b Position
		want int
	}{{Position{}, Position{1, 0}, -1}, {Position{2, 0}, Position{1, 9}, 1}, {Position{1, 5}, Position{1, 5}, 0}} {
		if got := c.a.Compare(c.b); got != c.want {
			t.Errorf("%v %v: %d", c.a, c.b, got)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"v":1,"kind":"put","id":"0","at":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Unmarshal(b)
		if err != nil {
			return
		}
		if _, err := e.Marshal(); err != nil && len(b) < 1024 {
			t.Skip(err) // a year outside 0..9999
		}
	})
}
