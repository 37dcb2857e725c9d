package ul

// ReleaseRQ is the A-RELEASE-RQ PDU (PS3.8 9.3.6). It carries nothing.
type ReleaseRQ struct{}

// ReleaseRP is the A-RELEASE-RP PDU (PS3.8 9.3.7). It carries nothing.
type ReleaseRP struct{}

// Append appends the encoded PDU to dst.
func (ReleaseRQ) Append(dst []byte) []byte {
	return append(dst, byte(TypeReleaseRQ), 0, 0, 0, 0, 4, 0, 0, 0, 0)
}

// Append appends the encoded PDU to dst.
func (ReleaseRP) Append(dst []byte) []byte {
	return append(dst, byte(TypeReleaseRP), 0, 0, 0, 0, 4, 0, 0, 0, 0)
}

// DecodeReleaseRQ checks the variable field: four reserved bytes, values not tested.
func DecodeReleaseRQ(body []byte) (ReleaseRQ, error) {
	return ReleaseRQ{}, releaseLength(TypeReleaseRQ, body)
}

// DecodeReleaseRP checks the variable field: four reserved bytes, values not tested.
func DecodeReleaseRP(body []byte) (ReleaseRP, error) {
	return ReleaseRP{}, releaseLength(TypeReleaseRP, body)
}

func releaseLength(t PDUType, body []byte) error {
	if len(body) != 4 {
		return invalid(t, "length %d, not 4", len(body))
	}
	return nil
}
