package dicom

import (
	"compress/flate"
	"io"

	"gantry/dicom/uid"
)

// Encode writes ds as its transfer syntax lays elements out (PS3.5 chapter 10). Under
// the layout it was decoded from, the very bytes go out again, flaws included; bulk
// values are copied by range. That holds for a whole data set under the syntax it was
// decoded by too, even if its layout turned out to be another. Encapsulated pixel data is never decoded here: to turn it
// into a native syntax is an error.
func Encode(w io.Writer, ds *DataSet, syntax uid.UID) error {
	enc, deflated := layoutOf(ds, syntax)
	if !deflated {
		return encodeTo(w, ds, enc)
	}
	c := &counter{w: w}
	z, err := flate.NewWriter(c, flate.DefaultCompression)
	if err != nil {
		return err
	}
	if err := encodeTo(z, ds, enc); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if c.n&1 == 1 { // PS3.5 A.5
		_, err = w.Write([]byte{0})
	}
	return err
}

// layoutOf is encodingOf, save for a data set that lied about its layout.
func layoutOf(ds *DataSet, syntax uid.UID) (encoding, bool) {
	enc, deflated := encodingOf(syntax)
	if ds != nil && ds.st != nil && ds.parent == nil && ds.st.syntax == syntax {
		enc = ds.st.enc
	}
	return enc, deflated
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func encodeTo(w io.Writer, ds *DataSet, enc encoding) error {
	if ds == nil || ds.st == nil {
		return nil
	}
	if ds.enc == enc {
		from, to := ds.span()
		return writeSpan(w, ds.st.buf, ds.st.bulkIn(from, to), from, to)
	}
	a := appender{enc: enc}
	if err := a.dataSet(ds); err != nil {
		return err
	}
	return writeSpan(w, a.buf, a.bulk, 0, uint32(len(a.buf)))
}

// writeSpan writes a part of a buffer and the bulk values that belong into it.
func writeSpan(w io.Writer, buf []byte, bulk []bulkValue, from, to uint32) error {
	for _, b := range bulk {
		if _, err := w.Write(buf[from:b.at]); err != nil {
			return err
		}
		from = b.at
		n, err := io.Copy(w, io.NewSectionReader(b.r, b.off, b.size))
		if err == nil && n < b.size {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	_, err := w.Write(buf[from:to])
	return err
}

// AppendEncode appends ds to dst as Encode writes it.
func AppendEncode(dst []byte, ds *DataSet, syntax uid.UID) ([]byte, error) {
	enc, deflated := layoutOf(ds, syntax)
	if !deflated && ds != nil && ds.st != nil && ds.enc != enc {
		a := appender{enc: enc}
		if err := a.dataSet(ds); err != nil {
			return dst, err
		}
		w := byteWriter{dst}
		err := writeSpan(&w, a.buf, a.bulk, 0, uint32(len(a.buf)))
		return w.b, err
	}
	w := byteWriter{dst}
	err := Encode(&w, ds, syntax)
	return w.b, err
}

type byteWriter struct{ b []byte }

func (w *byteWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}
