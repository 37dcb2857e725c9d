package verb

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/uid"
)

// extractor writes answers to files: rsp0001.dcm and so on.
type extractor struct {
	o     *Find
	class uid.UID
	n     int
	one   *os.File
}

func newExtractor(o *Find, class uid.UID) (*extractor, error) {
	x := &extractor{o: o, class: class}
	if o.OneXML == "" {
		return x, nil
	}
	var err error
	if x.one, err = os.Create(o.OneXML); err != nil {
		return nil, Fail(Output, "%w", err)
	}
	_, err = io.WriteString(x.one, xmlHead)
	return x, err
}

func (x *extractor) answer(ds *dicom.DataSet) error {
	if x.o.Extract == "" && x.one == nil || x.o.KeepMost > 0 && x.n >= x.o.KeepMost {
		return nil
	}
	x.n++
	if x.one != nil {
		return writeXML(x.one, ds)
	}
	if x.o.AsXML {
		return x.write("xml", func(w io.Writer) error { return writeXML(w, ds) })
	}
	meta, err := part10.MetaInfo{Class: x.class, Instance: uid.New(), Syntax: uid.ExplicitVRLittleEndian}.Meta()
	if err != nil {
		return err
	}
	return x.write("dcm", func(w io.Writer) error { return part10.Write(w, meta, ds, uid.ExplicitVRLittleEndian) })
}

func (x *extractor) write(extension string, write func(io.Writer) error) error {
	f, err := os.Create(filepath.Join(x.o.Extract, fmt.Sprintf("rsp%04d.%s", x.n, extension)))
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (x *extractor) end() error {
	if x.one == nil {
		return nil
	}
	if _, err := io.WriteString(x.one, xmlTail); err != nil {
		x.one.Close()
		return err
	}
	return x.one.Close()
}
