package query

import (
	"bytes"
	"testing"

	"gantry/dimse"
)

func TestNegotiateFind(t *testing.T) {
	all := Options{Relational: true, DateTime: true, Fuzzy: true, Timezone: true, Enhanced: true, Empty: true, Multiple: true}
	for _, c := range []struct {
		o              Options
		proposed, want string
	}{
		{all, "\x01\x01\x01\x01\x01\x01\x01", "\x01\x01\x01\x01\x01\x01\x01"},
		{all, "\x00\x00\x01", "\x00\x00\x01"}, {all, "", ""}, {all, "\x02\xff\x01", "\x00\x00\x01"},
		{all, "\x01\x01\x01\x01\x01\x01\x01\x01\x01", "\x01\x01\x01\x01\x01\x01\x01"},
		{Options{}, "\x01\x01\x01", "\x00\x00\x00"}, {Options{Empty: true}, "\x01\x00\x00\x00\x00\x01\x01", "\x00\x00\x00\x00\x00\x01\x00"},
	} {
		if got := c.o.NegotiateFind([]byte(c.proposed)); string(got) != c.want {
			t.Errorf("%x on %+v: %x, want %x", c.proposed, c.o, got, c.want)
		}
	}
	if got := (&Options{Relational: true, Enhanced: true}).NegotiateRetrieve([]byte{1, 1, 1}); !bytes.Equal(got, []byte{1, 1}) {
		t.Errorf("retrieve: %x", got)
	}
}

func TestExtendedBytes(t *testing.T) {
	for want, e := range map[string]Extended{"": {}, "\x01": {Relational: true}, "\x00\x00\x01": {Fuzzy: true},
		"\x00\x01\x00\x01\x00\x01\x01": {DateTime: true, Timezone: true, Empty: true, Multiple: true}} {
		if got := e.Bytes(); string(got) != want {
			t.Errorf("%+v: %x, want %x", e, got, want)
		}
	}
}

// FuzzExtended: whatever a peer proposes, the answer is no longer, and accepts only what was
// proposed and is offered.
func FuzzExtended(f *testing.F) {
	f.Add([]byte{1, 1, 1, 0, 0, 1, 1}, byte(0x7f))
	f.Add([]byte{}, byte(0))
	f.Fuzz(func(t *testing.T, info []byte, have byte) {
		bit := func(i int) bool { return have>>i&1 == 1 }
		o := Options{Relational: bit(0), DateTime: bit(1), Fuzzy: bit(2), Timezone: bit(3), Enhanced: bit(4), Empty: bit(5), Multiple: bit(6)}
		out := o.NegotiateFind(info)
		if len(out) != min(len(info), 7) {
			t.Fatalf("%d bytes to %d", len(out), len(info))
		}
		for i, b := range out {
			if b != 0 && (b != 1 || info[i] != 1 || !bit(i)) {
				t.Errorf("byte %d: %d to %d", i, b, info[i])
			}
		}
		var q Query
		q.negotiated(dimse.CFind, out)
		if again := ParseExtended(q.Bytes()); again != q.Extended {
			t.Errorf("%+v, %+v", again, q.Extended)
		}
	})
}
