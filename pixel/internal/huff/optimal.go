package huff

import (
	"cmp"
	"slices"
)

// Optimal returns the specification whose codes are shortest for the given frequencies of
// symbols 0, 1 and so on, none longer than 16 bits and none all ones (T.81 K.2). Symbols
// that do not occur get no code; where none occurs, symbol 0 gets one.
func Optimal(freq []int64) Spec {
	size := codeSizes(freq)
	var count [2 * 257]int
	for _, n := range size[:len(size)-1] {
		count[n]++
	}
	count[size[len(size)-1]]++
	limit(count[:])
	// The symbol added has one of the longest codes, the one of all ones (K.2).
	for l := MaxLength; l > 0; l-- {
		if count[l] > 0 {
			count[l]--
			break
		}
	}
	var s Spec
	for l := 1; l <= MaxLength; l++ {
		s.Counts[l-1] = uint8(count[l])
	}
	copy(s.Symbols[:], byLength(size[:len(size)-1], freq))
	return s
}

// byLength returns the symbols that have codes, those of short ones first, and frequent
// ones first where codes are equally long: limit may have lengthened some of them.
func byLength(size []int, freq []int64) []uint8 {
	var out []uint8
	for symbol, n := range size {
		if n > 0 {
			out = append(out, uint8(symbol))
		}
	}
	slices.SortStableFunc(out, func(a, b uint8) int {
		return cmp.Or(cmp.Compare(size[a], size[b]), cmp.Compare(freq[b], freq[a]))
	})
	return out
}

// codeSizes returns the code length of each symbol, unlimited, and of the one added so that
// no code is all ones (T.81 Figure K.1).
func codeSizes(freq []int64) []int {
	n := len(freq) + 1
	f := make([]int64, n)
	used := false
	for i, v := range freq {
		f[i] = v
		used = used || v > 0
	}
	f[n-1] = 1
	if !used {
		f[0] = 1
	}
	size, next := make([]int, n), make([]int, n)
	for i := range next {
		next[i] = -1
	}
	for {
		a, b := rarest(f)
		if b < 0 {
			return size
		}
		f[a] += f[b]
		f[b] = 0
		for size[a]++; next[a] >= 0; size[a]++ {
			a = next[a]
		}
		next[a] = b
		for size[b]++; next[b] >= 0; size[b]++ {
			b = next[b]
		}
	}
}

// rarest returns the two symbols of least frequency above zero, the greater of equal ones
// first; b is -1 where there is only one.
func rarest(f []int64) (a, b int) {
	a, b = -1, -1
	for i, v := range f {
		switch {
		case v == 0:
		case a < 0 || v <= f[a]:
			a, b = i, a
		case b < 0 || v <= f[b]:
			b = i
		}
	}
	return a, b
}

// limit shortens codes of more than 16 bits (T.81 Figure K.3).
func limit(count []int) {
	for i := len(count) - 1; i > MaxLength; i-- {
		for count[i] > 0 {
			j := i - 2
			for count[j] == 0 {
				j--
			}
			count[i] -= 2
			count[i-1]++
			count[j+1] += 2
			count[j]--
		}
	}
}
