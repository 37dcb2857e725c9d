package dicom

import "encoding/binary"

// encodingOrder reads numbers; true is big endian. Unlike binary.ByteOrder it is no
// interface, so that reading allocates nothing.
type encodingOrder bool

func (o encodingOrder) Uint16(b []byte) uint16 {
	if o {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (o encodingOrder) Uint32(b []byte) uint32 {
	if o {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (o encodingOrder) Uint64(b []byte) uint64 {
	if o {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

func (o encodingOrder) append16(dst []byte, v uint16) []byte {
	if o {
		return binary.BigEndian.AppendUint16(dst, v)
	}
	return binary.LittleEndian.AppendUint16(dst, v)
}

func (o encodingOrder) append32(dst []byte, v uint32) []byte {
	if o {
		return binary.BigEndian.AppendUint32(dst, v)
	}
	return binary.LittleEndian.AppendUint32(dst, v)
}

func (o encodingOrder) put32(b []byte, v uint32) {
	if o {
		binary.BigEndian.PutUint32(b, v)
		return
	}
	binary.LittleEndian.PutUint32(b, v)
}
