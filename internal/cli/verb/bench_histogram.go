package verb

import (
	"math/bits"
	"time"
)

// subBuckets is how many buckets a doubling of the time is divided into, as a power of two:
// a bucket is at most 1/128 wide of what it holds.
const subBuckets = 7

// histogram counts times in buckets that grow with them, so that 99.9 % of a day is known
// as well as the median, in memory that does not depend on how many there are.
type histogram struct {
	counts      [(64 - subBuckets) << subBuckets]int64
	n           int64
	sum         time.Duration
	least, most time.Duration
}

// bucket is where a time belongs: its highest bits, and how far they were shifted.
func bucket(d time.Duration) int {
	shift := max(0, bits.Len64(uint64(d))-subBuckets-1)
	return shift<<subBuckets + int(d>>shift)
}

// highest is the longest time of a bucket.
func highest(bucket int) time.Duration {
	shift := max(0, bucket>>subBuckets-1)
	return time.Duration(bucket-shift<<subBuckets+1)<<shift - 1
}

func (h *histogram) add(d time.Duration) {
	d = max(0, d)
	if h.counts[bucket(d)]++; h.n == 0 || d < h.least {
		h.least = d
	}
	h.n++
	h.sum += d
	h.most = max(h.most, d)
}

// merge adds what another has counted.
func (h *histogram) merge(from *histogram) {
	if from.n == 0 {
		return
	}
	if h.n == 0 || from.least < h.least {
		h.least = from.least
	}
	for i, n := range from.counts {
		h.counts[i] += n
	}
	h.n += from.n
	h.sum += from.sum
	h.most = max(h.most, from.most)
}

// quantile is the time that a part q of all did not exceed, at most 1/128 too long.
func (h *histogram) quantile(q float64) time.Duration {
	want, seen := q*float64(h.n), int64(0)
	for i, n := range h.counts {
		if seen += n; n > 0 && float64(seen) >= want {
			return min(highest(i), h.most)
		}
	}
	return h.most
}

func (h *histogram) mean() time.Duration { return h.sum / time.Duration(max(1, h.n)) }
