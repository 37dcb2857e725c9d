package dicom

// UndefinedLength is the value of a length field that leaves the end to a delimitation
// item (PS3.5 7.5).
const UndefinedLength uint32 = undefinedLength

// LengthField returns the length field of the header as it stands in the data set (PS3.5
// 7.1.1): UndefinedLength, or a number of bytes, which in a flawed one is not that of
// Len.
func (e Element) LengthField() uint32 {
	if e.ds == nil {
		return 0
	}
	return e.ds.lengthField(e.rec, e.ds.enc)
}

// BigEndian reports whether the numbers in Bytes, Bulk and Reader are big endian (PS3.5
// 7.3).
func (e Element) BigEndian() bool { return e.ds != nil && e.record().is(flagBig) }

// Implicit reports whether the header of the element has no VR: Element.VR is then from
// the dictionary, or UN where that has none (PS3.5 A.1).
func (e Element) Implicit() bool {
	return e.ds != nil && (!e.ds.enc.explicit || e.record().is(flagImplicit))
}

// ItemLengthField returns the length field of an item's header as LengthField does; 0 for
// a data set that is no item.
func (ds *DataSet) ItemLengthField() uint32 {
	if ds == nil || ds.parent == nil {
		return 0
	}
	return ds.lengthField(ds.lo-1, encoding{big: ds.enc.big})
}

func (ds *DataSet) lengthField(rec uint32, enc encoding) uint32 {
	r := &ds.st.recs[rec]
	if r.off-r.hdr == 8 && enc.explicit && r.flag&(flagImplicit|flagItem) == 0 {
		return uint32(enc.uint16(ds.st.buf[r.off-2:]))
	}
	return enc.uint32(ds.st.buf[r.off-4:])
}

// ItemOffset returns where the header of an item stands, in bytes from the start of the
// outermost data set; 0 for a data set that is no item. Directory records refer to each
// other by it (PS3.3 F.3.2.2).
func (ds *DataSet) ItemOffset() int64 {
	if ds == nil || ds.parent == nil {
		return 0
	}
	at := ds.st.recs[ds.lo-1].hdr
	off := int64(at)
	for _, b := range ds.st.bulk {
		if b.at > at {
			break
		}
		off += b.size
	}
	return off
}

// DecodeText turns bytes of a text value, or of a part of it, into UTF-8 by the character
// set in force (PS3.5 6.1.2.3). What cannot be decoded becomes U+FFFD.
func (e Element) DecodeText(b []byte) string {
	if e.ds == nil || !e.VR.HasCharset() || isPlain(b) {
		return string(b)
	}
	s, _ := e.ds.charset().Decode(b, e.VR)
	return s
}
