package uid

import (
	"crypto/rand"
	"math/big"
)

// New returns a UID that no one else has: a random UUID below the root 2.25 (PS3.5 B.2).
func New() UID {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6] = b[6]&0x0F | 0x40
	b[8] = b[8]&0x3F | 0x80
	return FromUUID(b)
}

// FromUUID returns the UID of a UUID: its bytes as one decimal number below 2.25
// (PS3.5 B.2, ISO/IEC 9834-8).
func FromUUID(uuid [16]byte) UID {
	return UID("2.25." + new(big.Int).SetBytes(uuid[:]).String())
}
