package dicomdir_test

import (
	"bytes"
	"fmt"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dicomdir"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

func Example() {
	ds, err := new(dicom.DataSet).Edit().
		SetUID(tag.SOPClassUID, uid.CTImageStorage).SetUID(tag.SOPInstanceUID, "1.2.3.4").
		SetUID(tag.StudyInstanceUID, "1.2").SetUID(tag.SeriesInstanceUID, "1.2.3").
		SetText(tag.PatientName, "Doe^Jane").SetText(tag.PatientID, "4711").
		SetText(tag.StudyDate, "20260131").SetText(tag.StudyTime, "1200").SetText(tag.StudyID, "1").
		SetText(tag.Modality, "CT").SetText(tag.SeriesNumber, "1").SetText(tag.InstanceNumber, "7").Build()
	if err != nil {
		panic(err)
	}
	b := dicomdir.Builder{FileSetID: "EXAMPLE"}
	if err := b.Add([]string{"IMAGES", "IM000001"}, uid.ExplicitVRLittleEndian, ds); err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if err := b.Write(&file); err != nil {
		panic(err)
	}

	d, err := dicomdir.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		panic(err)
	}
	for level, r := range d.Walk() {
		fmt.Printf("%s%s %q\n", strings.Repeat("  ", level), r.Type, r.FileID)
	}
	// Output:
	// PATIENT []
	//   STUDY []
	//     SERIES []
	//       IMAGE ["IMAGES" "IM000001"]
}
