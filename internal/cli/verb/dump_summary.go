package verb

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
)

// dumpSummary counts files. Its keys are those of the described tool.
type dumpSummary struct {
	TotalFiles   int            `json:"totalFiles"`
	ValidFiles   int            `json:"validFiles"`
	InvalidFiles int            `json:"invalidFiles"`
	Modalities   map[string]int `json:"modalities"`
	SOPClasses   map[string]int `json:"sopClasses"`
}

func newDumpSummary() *dumpSummary {
	return &dumpSummary{Modalities: map[string]int{}, SOPClasses: map[string]int{}}
}

func (s *dumpSummary) add(f *part10.File) {
	s.TotalFiles++
	s.ValidFiles++
	if m := f.DataSet.Text(tag.Modality); m != "" {
		s.Modalities[m]++
	}
	if c := f.DataSet.UID(tag.SOPClassUID); c != "" {
		s.SOPClasses[string(c)]++
	}
}

func (s *dumpSummary) print(w io.Writer, format string) {
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.Encode(s)
		return
	}
	fmt.Fprintf(w, "Total files: %d\nValid files: %d\nInvalid files: %d\n", s.TotalFiles, s.ValidFiles, s.InvalidFiles)
	for _, part := range []struct {
		title string
		count map[string]int
	}{{"Modalities", s.Modalities}, {"SOP classes", s.SOPClasses}} {
		fmt.Fprintf(w, "%s:\n", part.title)
		for _, k := range slices.Sorted(maps.Keys(part.count)) {
			fmt.Fprintf(w, "  %s: %d\n", cell(k), part.count[k])
		}
	}
}

// printPixelInfo prints what describes the pixel data.
func printPixelInfo(w io.Writer, ds *dicom.DataSet) {
	px, ok := ds.Get(tag.PixelData)
	if !ok {
		fmt.Fprintln(w, "No pixel data")
		return
	}
	i := imageOf(ds)
	text := func(t tag.Tag) string { return cell(ds.Text(t)) }
	fmt.Fprintf(w, "Dimensions: %d x %d\n", i.Columns, i.Rows)
	for _, l := range []struct {
		name string
		tag  tag.Tag
	}{{"Bits Allocated", tag.BitsAllocated}, {"Bits Stored", tag.BitsStored}, {"High Bit", tag.HighBit}, {"Pixel Rep", tag.PixelRepresentation},
		{"Samples/Pixel", tag.SamplesPerPixel}, {"Photometric", tag.PhotometricInterpretation}} {
		fmt.Fprintf(w, "%s: %s\n", l.name, text(l.tag))
	}
	fmt.Fprintf(w, "Number of Frames: %d\nPixel Data: %d bytes, VR %v\n", i.NumberOfFrames, i.PixelDataSize, px.VR)
}
