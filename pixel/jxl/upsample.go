package jxl

// upsample makes planes larger where the frame was coded smaller (annex K.2).
func (f *frame) upsample(workers int) error {
	if f.upsampling == 1 {
		return nil
	}
	k := log2(f.upsampling) - 1
	weights := f.m.upsampling[k]
	if weights == nil {
		weights = upsamplingWeights[k]
	}
	kernels := spread(weights, f.upsampling)
	for c := range f.planes {
		in := f.planes[c].padded(2)
		out := newPlane(f.fullWidth, f.fullHeight)
		err := each(workers, out.h, func(y int) error {
			enlarge(out.row(y), &in, y/f.upsampling, kernels[y%f.upsampling])
			return nil
		})
		if err != nil {
			return err
		}
		f.planes[c] = out
	}
	return nil
}

// spread makes the kernels of 5 x 5 for each of n x n places out of their weights: each is a
// mirror image of one of the upper left quarter, which is one of itself along its diagonal.
func spread(weights []float32, n int) [][][25]float32 {
	half := n / 2
	out := make([][][25]float32, n)
	for ky := range out {
		out[ky] = make([][25]float32, n)
		for kx := range out[ky] {
			for i := range 25 {
				py, px := i/5, i%5
				qy, qx := ky, kx
				if ky >= half {
					qy, py = n-1-ky, 4-py
				}
				if kx >= half {
					qx, px = n-1-kx, 4-px
				}
				a, b := 5*qy+py, 5*qx+px
				low, high := min(a, b), max(a, b)
				out[ky][kx][i] = weights[5*half*low-low*(low-1)/2+high-low]
			}
		}
	}
	return out
}

// enlarge makes a row of row y, and those around it. in has two samples more on every side.
func enlarge(row []float32, in *plane, y int, kernels [][25]float32) {
	n := len(kernels)
	var near [25]float32
	for x := range row {
		if x%n == 0 {
			for i := range near {
				near[i] = in.px[(y+i/5)*in.stride+x/n+i%5]
			}
		}
		sum, low, high := float32(0), near[0], near[0]
		for i, v := range near {
			sum += v * kernels[x%n][i]
			low, high = min(low, v), max(high, v)
		}
		row[x] = min(max(sum, low), high)
	}
}
