package bits

import (
	"math/rand/v2"
	"testing"
)

// TestRoundTrip writes values of every width, many of them all ones, and reads them again.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	type field struct {
		v uint32
		n int
	}
	for range 200 {
		fields := make([]field, r.IntN(300))
		var w Writer
		for i := range fields {
			n := r.IntN(33)
			v := r.Uint32()
			if r.IntN(2) == 0 {
				v = 0xffffffff
			}
			fields[i] = field{uint32(uint64(v) & (1<<n - 1)), n}
			w.Put(fields[i].v, n)
		}
		w.Flush()
		rd := Reader{Src: append(w.Dst, 0xff, 0xd9)}
		for i, f := range fields {
			if got := rd.Take(f.n); got != f.v {
				t.Fatalf("field %d of %d bits: %x, not %x", i, f.n, got, f.v)
			}
		}
		if rd.Exhausted() {
			t.Fatal("bits were made up")
		}
		for range 9 {
			rd.Take(1)
		}
		if !rd.Exhausted() || rd.Pos != len(w.Dst) {
			t.Fatalf("the end is at %d and was found at %d", len(w.Dst), rd.Pos)
		}
	}
}

// TestLSRoundTrip does the same with stuffed bits.
func TestLSRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		values := make([]uint32, r.IntN(200))
		widths := make([]int, len(values))
		var w LSWriter
		for i := range values {
			widths[i] = r.IntN(33)
			values[i] = (r.Uint32() | -uint32(r.IntN(2))) & uint32(uint64(1)<<widths[i]-1)
			w.Put(values[i], widths[i])
		}
		w.Flush()
		rd := LSReader{Src: append(w.Dst, 0xff, 0xd9)}
		for i, v := range values {
			if got := rd.Take(widths[i]); got != v {
				t.Fatalf("field %d of %d bits: %x, not %x", i, widths[i], got, v)
			}
		}
		if rd.Exhausted() {
			t.Fatal("bits were made up")
		}
		for range 17 {
			rd.Take(1)
		}
		if !rd.Exhausted() || rd.Pos != len(w.Dst) {
			t.Fatalf("the end is at %d and was found at %d", len(w.Dst), rd.Pos)
		}
	}
}

// TestHasFF compares with bytes looked at one by one.
func TestHasFF(t *testing.T) {
	for _, w := range []uint32{0, 0xffffffff, 0xff, 0xff00, 0xff0000, 0xff000000, 0xfefefefe, 0x7f80ff7f, 0x0100ff, 0xfe01fe00} {
		want := false
		for s := 0; s < 32; s += 8 {
			want = want || byte(w>>s) == 0xff
		}
		if HasFF(w) != want {
			t.Errorf("%x: %v", w, !want)
		}
	}
}
