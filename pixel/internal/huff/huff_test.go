package huff

import (
	"math/rand/v2"
	"testing"
)

// TestOptimal checks, for frequencies of all kinds, that every symbol has a code that Find
// finds again, that none is all ones, and that no symbol's code is longer than a rarer one's.
func TestOptimal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 400 {
		freq := make([]int64, 1+r.IntN(256))
		a, b := int64(1), int64(1)
		for i := range freq {
			switch round % 4 {
			case 0:
				freq[i] = r.Int64N(1000)
			case 1:
				freq[i] = r.Int64N(2)
			case 2:
				freq[i] = 1 << r.IntN(30)
			case 3: // Fibonacci numbers make the longest codes
				if i < 60 {
					freq[i] = a
					a, b = b, a+b
				}
			}
		}
		check(t, freq)
	}
	check(t, make([]int64, 17))
}

func check(t *testing.T, freq []int64) {
	t.Helper()
	spec := Optimal(freq)
	back, n, err := Parse(spec.Append(nil))
	if err != nil || back != spec || n != MaxLength+spec.Len() {
		t.Fatalf("%v: %v", spec, err)
	}
	search := NewSearch(&spec)
	lengths := map[uint8]int{}
	spec.Each(func(symbol uint8, code uint32, length int) {
		if code == 1<<length-1 {
			t.Fatalf("symbol %d has a code of ones", symbol)
		}
		for _, tail := range []uint32{0, 1<<(MaxLength-length) - 1} {
			if s, l := search.Find(code<<(MaxLength-length) | tail); s != symbol || l != length {
				t.Fatalf("symbol %d found as %d", symbol, s)
			}
		}
		lengths[symbol] = length
	})
	if s, l := search.Find(0xffff); l != 0 {
		t.Fatalf("symbol %d for the pattern of ones", s)
	}
	for i, f := range freq {
		for j, g := range freq {
			if f > 0 && lengths[uint8(i)] == 0 || f > g && g > 0 && lengths[uint8(i)] > lengths[uint8(j)] {
				t.Fatalf("symbol %d (%d times) has %d bits, symbol %d (%d times) %d", i, f, lengths[uint8(i)], j, g, lengths[uint8(j)])
			}
		}
	}
}

// TestParseRefuses gives tables that cannot be.
func TestParseRefuses(t *testing.T) {
	full := make([]byte, MaxLength+256)
	for name, b := range map[string][]byte{
		"cut":              full[:15],
		"three of one bit": append([]byte{3}, full...),
		"symbols missing":  append([]byte{2}, full[:16]...),
		"overflow later":   append([]byte{2, 1}, full...),
	} {
		if _, _, err := Parse(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, pattern uint16) {
		spec, _, err := Parse(b)
		if err != nil {
			return
		}
		search := NewSearch(&spec)
		symbol, length := search.Find(uint32(pattern))
		found := false
		spec.Each(func(s uint8, code uint32, l int) {
			found = found || s == symbol && l == length && code == uint32(pattern)>>(MaxLength-l)
		})
		if length > 0 && !found {
			t.Fatalf("symbol %d of %d bits has another code", symbol, length)
		}
	})
}
