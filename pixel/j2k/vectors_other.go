//go:build noasm || !amd64

package j2k

func (d *htDecoder) startQuads(_, _ []uint32, at, _ uint, _ uint32) (q int, next uint, last uint64) {
	return 0, at, 0
}

func startLift(_, _, _ []int32, _, _, _ int32) int { return 0 }

func startJoin(_, _, _ []int32) int { return 0 }

func startPart(_, _, _ []int32) int { return 0 }

func startUnfold([]int32, []uint32) int { return 0 }

func startFold([]uint32, []int32) int { return 0 }

func startWrite([]byte, []int32, int, int32, int32, int32) int { return 0 }

func startLoad([]int32, []byte, int, int32, int32) int { return 0 }

func startLoading([]quad, []uint32, []uint32) int { return 0 }

func (s *bitSink) startWriting([]quad) int { return 0 }
