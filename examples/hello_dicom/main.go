// Hello_dicom builds a data set, writes it as a file, reads it back and prints it.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

func main() {
	if err := run(os.TempDir(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string, out io.Writer) error {
	study, instance := uid.New(), uid.New()
	ds, err := new(dicom.DataSet).Edit().
		SetUID(tag.SOPClassUID, uid.SecondaryCaptureImageStorage).
		SetUID(tag.SOPInstanceUID, instance).
		SetUID(tag.StudyInstanceUID, study).
		SetText(tag.PatientName, "Doe^Jane").
		SetText(tag.StudyDate, "20240229").
		SetInt(tag.Rows, 512).
		Build()
	if err != nil {
		return err
	}
	name := filepath.Join(dir, "hello.dcm")
	if err := write(name, ds); err != nil {
		return err
	}
	defer os.Remove(name)

	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		return err
	}
	defer f.Close()
	for e := range f.DataSet.All() {
		fmt.Fprintln(out, e.Tag, e.VR, e.Text())
	}
	rows, err := f.DataSet.Int(tag.Rows)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "hello %s, %d rows\n", f.DataSet.Text(tag.PatientName), rows)
	return err
}

func write(name string, ds *dicom.DataSet) error {
	meta, err := part10.MetaInfo{
		Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Syntax: uid.ExplicitVRLittleEndian,
	}.Meta()
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := part10.Write(f, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
