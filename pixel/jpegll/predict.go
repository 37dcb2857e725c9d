package jpegll

// The predictors of T.81 Table H.1: a is left of the sample, b above it, c above a. Rows
// hold n interleaved components; all is modulo 2^16.

// restoreFirst turns differences into samples where there is no row above (H.1.2.1): a
// predicts, and the first sample is half the range.
func restoreFirst(row []uint16, n int, first uint16) {
	for i := range min(n, len(row)) {
		row[i] += first
	}
	sum(row, n)
}

// sum adds to each sample the one to its left.
func sum(row []uint16, n int) {
	if n == 1 {
		var a uint16
		for i, d := range row {
			a += d
			row[i] = a
		}
		return
	}
	for i := n; i < len(row); i++ {
		row[i] += row[i-n]
	}
}

// restore turns the differences of a row into samples.
func restore(row, above []uint16, n, predictor int) {
	above = above[:len(row)]
	for i := range n {
		row[i] += above[i]
	}
	switch predictor {
	case 1:
		sum(row, n)
	case 2:
		for i := n; i < len(row); i++ {
			row[i] += above[i]
		}
	case 3:
		for i := n; i < len(row); i++ {
			row[i] += above[i-n]
		}
	case 4:
		for i := n; i < len(row); i++ {
			row[i] += row[i-n] + above[i] - above[i-n]
		}
	case 5:
		for i := n; i < len(row); i++ {
			row[i] += row[i-n] + uint16((int32(above[i])-int32(above[i-n]))>>1)
		}
	case 6:
		for i := n; i < len(row); i++ {
			row[i] += above[i] + uint16((int32(row[i-n])-int32(above[i-n]))>>1)
		}
	case 7:
		for i := n; i < len(row); i++ {
			row[i] += uint16((uint32(row[i-n]) + uint32(above[i])) >> 1)
		}
	}
}

// predictFirst is the inverse of restoreFirst, from samples to differences.
func predictFirst(diff, row []uint16, n int, first uint16) {
	diff = diff[:len(row)]
	for i := range min(n, len(row)) {
		diff[i] = row[i] - first
	}
	for i := n; i < len(row); i++ {
		diff[i] = row[i] - row[i-n]
	}
}

// predict is the inverse of restore.
func predict(diff, row, above []uint16, n, predictor int) {
	above, diff = above[:len(row)], diff[:len(row)]
	for i := range n {
		diff[i] = row[i] - above[i]
	}
	switch predictor {
	case 1:
		for i := n; i < len(row); i++ {
			diff[i] = row[i] - row[i-n]
		}
	case 2:
		for i := n; i < len(row); i++ {
			diff[i] = row[i] - above[i]
		}
	case 3:
		for i := n; i < len(row); i++ {
			diff[i] = row[i] - above[i-n]
		}
	case 4:
		for i := n; i < len(row); i++ {
			diff[i] = row[i] - (row[i-n] + above[i] - above[i-n])
		}
	case 5:
		for i := n; i < len(row); i++ {
			diff[i] = row[i] - (row[i-n] + uint16((int32(above[i])-int32(above[i-n]))>>1))
		}
	case 6:
		for i := n; i < len(row); i++ {
			diff[i] = row[i] - (above[i] + uint16((int32(row[i-n])-int32(above[i-n]))>>1))
		}
	case 7:
		for i := n; i < len(row); i++ {
			diff[i] = row[i] - uint16((uint32(row[i-n])+uint32(above[i]))>>1)
		}
	}
}
