package dicom

import (
	"bytes"
	"fmt"
	"io"

	"gantry/dicom/uid"
)

// NewReader returns ds as Encode writes it, to be read piece by piece: bulk values are
// read from where they lie when their turn comes. size is the number of bytes. A deflated
// syntax is refused, as its size is not known before the end.
func NewReader(ds *DataSet, syntax uid.UID) (r io.Reader, size int64, err error) {
	enc, deflated := layoutOf(ds, syntax)
	if deflated {
		return nil, 0, fmt.Errorf("dicom: %s has no size before its end: use Encode", syntax.Name())
	}
	if ds == nil || ds.st == nil {
		return bytes.NewReader(nil), 0, nil
	}
	a := appender{enc: enc}
	if ds.enc == enc {
		from, to := ds.span()
		a.buf, a.bulk = ds.st.buf[:to], ds.st.bulkIn(from, to)
		return pieces(a.buf, a.bulk, from)
	}
	if err := a.dataSet(ds); err != nil {
		return nil, 0, err
	}
	return pieces(a.buf, a.bulk, 0)
}

// pieces reads buf from an offset on, with the bulk values that belong between its bytes.
func pieces(buf []byte, bulk []bulkValue, from uint32) (io.Reader, int64, error) {
	size := int64(len(buf)) - int64(from)
	parts := make([]io.Reader, 0, 2*len(bulk)+1)
	for _, b := range bulk {
		parts = append(parts, bytes.NewReader(buf[from:b.at]), io.NewSectionReader(b.r, b.off, b.size))
		from = b.at
		size += b.size
	}
	return io.MultiReader(append(parts, bytes.NewReader(buf[from:]))...), size, nil
}
