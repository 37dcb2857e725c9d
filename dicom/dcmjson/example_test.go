package dcmjson_test

import (
	"fmt"
	"os"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dcmjson"
	"gantry/dicom/dcmjson/model"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

func ExampleEncode() {
	ds, err := new(dicom.DataSet).Edit().SetText(tag.PatientName, "Doe^Jane").SetBytes(tag.PixelData, vr.OW, []byte{1, 2}).Build()
	if err != nil {
		panic(err)
	}
	elsewhere := func(p dicom.Path, e dicom.Element) (model.Placement, string) {
		return model.ByURI, "https://pacs/bulk/1"
	}
	if err := dcmjson.Encode(os.Stdout, ds, dcmjson.EncodeOptions{Place: elsewhere}); err != nil {
		panic(err)
	}
	// Output: {"00100010":{"vr":"PN","Value":[{"Alphabetic":"Doe^Jane"}]},"7FE00010":{"vr":"OW","BulkDataURI":"https://pacs/bulk/1"}}
}

func ExampleDecode() {
	ds, err := dcmjson.Decode(strings.NewReader(`{"00280010": {"vr": "US", "Value": [512]}}`), dcmjson.DecodeOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(ds.Text(tag.Rows))
	// Output: 512
}
