package capture

import (
	"io"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// readPDF takes a document as it is (PS3.3 C.24.2).
func readPDF(in *io.SectionReader) *Object {
	return &Object{Class: uid.EncapsulatedPDFStorage, attrs: []attribute{
		{t: tag.EncapsulatedDocument, v: vr.OB, bulk: newBulk(in)},
		{t: tag.EncapsulatedDocumentLength, n: []int64{in.Size()}},
		{t: tag.MIMETypeOfEncapsulatedDocument, s: []string{"application/pdf"}},
	}}
}
