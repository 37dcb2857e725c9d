//go:build noasm || !amd64

package pixel

// startRGB converts as many pixels as vectors can: none here.
func startRGB([]byte) int { return 0 }

// startYBR is startRGB the other way.
func startYBR(_, _ []byte) int { return 0 }
