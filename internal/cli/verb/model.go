package verb

import (
	"io"

	"gantry/dicom"
	"gantry/dicom/dcmjson"
	"gantry/dicom/dcmxml"
)

const (
	xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n<results>\n"
	xmlTail = "</results>\n"
)

// writeJSON writes a data set by the DICOM JSON Model (PS3.18 annex F).
func writeJSON(w io.Writer, ds *dicom.DataSet) error {
	return dcmjson.Encode(w, ds, dcmjson.EncodeOptions{})
}

// writeXML writes a data set by the Native DICOM Model (PS3.19 A.1).
func writeXML(w io.Writer, ds *dicom.DataSet) error {
	return dcmxml.Encode(w, ds, dcmxml.EncodeOptions{Indent: "  ", Fragment: true})
}
