package verb

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
)

// Info summarises DICOM files.
type Info struct {
	Common
	Paths      []string
	Format     string // text or json
	Recursive  bool
	NoFileInfo bool
}

// The summary of a file. Its keys are those of the described tool.
type (
	fileSummary struct {
		File     *fileInfo    `json:"file,omitempty"`
		Patient  patientInfo  `json:"patient"`
		Study    studyInfo    `json:"study"`
		Series   seriesInfo   `json:"series"`
		Instance instanceInfo `json:"instance"`
		Image    imageInfo    `json:"image"`
	}
	fileInfo struct {
		Path              string `json:"path"`
		Size              int64  `json:"size"`
		SizeFormatted     string `json:"sizeFormatted"`
		TransferSyntax    string `json:"transferSyntax"`
		TransferSyntaxUID string `json:"transferSyntaxUID"`
		SOPClassUID       string `json:"sopClassUID"`
		SOPInstanceUID    string `json:"sopInstanceUID"`
	}
	patientInfo struct {
		Name      string `json:"name"`
		ID        string `json:"id"`
		BirthDate string `json:"birthDate"`
		Sex       string `json:"sex"`
	}
	studyInfo struct {
		Date            string `json:"date"`
		Time            string `json:"time"`
		Description     string `json:"description"`
		InstanceUID     string `json:"instanceUID"`
		AccessionNumber string `json:"accessionNumber"`
	}
	seriesInfo struct {
		Modality    string `json:"modality"`
		Number      string `json:"number"`
		Description string `json:"description"`
		InstanceUID string `json:"instanceUID"`
	}
	instanceInfo struct {
		Number          string `json:"number"`
		AcquisitionDate string `json:"acquisitionDate"`
		AcquisitionTime string `json:"acquisitionTime"`
	}
	imageInfo struct {
		Rows                      int64  `json:"rows"`
		Columns                   int64  `json:"columns"`
		BitsAllocated             int64  `json:"bitsAllocated"`
		BitsStored                int64  `json:"bitsStored"`
		SamplesPerPixel           int64  `json:"samplesPerPixel"`
		PhotometricInterpretation string `json:"photometricInterpretation"`
		NumberOfFrames            int64  `json:"numberOfFrames"`
		HasPixelData              bool   `json:"hasPixelData"`
		PixelDataSize             int64  `json:"pixelDataSize"`
	}
)

func (o *Info) json() bool { return o.Format == "json" }

// Run does it.
func (o *Info) Run(ctx context.Context, s *Stdio) error {
	done, failed := 0, 0
	var all []*fileSummary
	for name, err := range o.files() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var sum *fileSummary
		if err == nil {
			sum, err = o.summary(name)
		}
		if err != nil {
			failed++
			fmt.Fprintf(s.Err, "%s: %v\n", name, withoutPrefix(err, name))
			continue
		}
		if done++; o.json() {
			all = append(all, sum)
		} else {
			sum.print(s.Out)
		}
	}
	if o.json() && done > 0 {
		if err := writeSummaries(s.Out, all); err != nil {
			return Fail(Output, "%w", err)
		}
	}
	switch {
	case failed > 0:
		return Ended(NoInput)
	case done == 0:
		return Fail(NoInput, "no file in %s", strings.Join(o.Paths, ", "))
	}
	return nil
}

// writeSummaries writes one object, or an array of more.
func writeSummaries(w io.Writer, all []*fileSummary) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if len(all) == 1 {
		return out.Encode(all[0])
	}
	return out.Encode(all)
}

// files yields what the paths stand for: of a folder the files in it, and with Recursive
// those below.
func (o *Info) files() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, root := range o.Paths {
			st, err := os.Stat(root)
			if err != nil || !st.IsDir() {
				if !yield(root, err) {
					return
				}
				continue
			}
			stop := false
			filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
				if err == nil && d.IsDir() && name != root && !o.Recursive {
					return fs.SkipDir
				}
				if err == nil && !d.Type().IsRegular() {
					return nil
				}
				if !yield(name, err) {
					stop = true
					return fs.SkipAll
				}
				return nil
			})
			if stop {
				return
			}
		}
	}
}

func (o *Info) summary(name string) (*fileSummary, error) {
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ds := f.DataSet
	s := &fileSummary{
		Patient: patientInfo{ds.Text(tag.PatientName), ds.Text(tag.PatientID), ds.Text(tag.PatientBirthDate), ds.Text(tag.PatientSex)},
		Study: studyInfo{ds.Text(tag.StudyDate), ds.Text(tag.StudyTime), ds.Text(tag.StudyDescription), ds.Text(tag.StudyInstanceUID),
			ds.Text(tag.AccessionNumber)},
		Series:   seriesInfo{ds.Text(tag.Modality), ds.Text(tag.SeriesNumber), ds.Text(tag.SeriesDescription), ds.Text(tag.SeriesInstanceUID)},
		Instance: instanceInfo{ds.Text(tag.InstanceNumber), ds.Text(tag.AcquisitionDate), ds.Text(tag.AcquisitionTime)},
		Image:    imageOf(ds),
	}
	if !o.NoFileInfo {
		s.File = &fileInfo{name, f.Size(), sizeText(f.Size()), f.Syntax.Name(), string(f.Syntax), ds.Text(tag.SOPClassUID), ds.Text(tag.SOPInstanceUID)}
	}
	return s, nil
}

func imageOf(ds *dicom.DataSet) imageInfo {
	number := func(t tag.Tag) int64 { n, _ := ds.Int(t); return n }
	i := imageInfo{number(tag.Rows), number(tag.Columns), number(tag.BitsAllocated), number(tag.BitsStored), number(tag.SamplesPerPixel),
		ds.Text(tag.PhotometricInterpretation), number(tag.NumberOfFrames), false, 0}
	px, ok := ds.Get(tag.PixelData)
	if !ok {
		return i
	}
	i.HasPixelData, i.PixelDataSize = true, px.Len()
	for n := 1; n < px.FragmentCount(); n++ { // the first is the offset table
		i.PixelDataSize += px.Fragment(n).Len()
	}
	if i.NumberOfFrames == 0 {
		i.NumberOfFrames = 1
	}
	return i
}

// sizeText is a size as people read it.
func sizeText(n int64) string {
	units := []string{"B", "KB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v, u = v/1024, u+1
	}
	if u == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}

// print writes the sections; a value that is not there has no line.
func (f *fileSummary) print(w io.Writer) {
	if i := f.File; i != nil {
		section(w, "File", "Path", i.Path, "Size", i.SizeFormatted, "Transfer Syntax", i.TransferSyntax, "Transfer Syntax UID", i.TransferSyntaxUID,
			"SOP Class UID", i.SOPClassUID, "SOP Instance UID", i.SOPInstanceUID)
	}
	section(w, "Patient", "Name", f.Patient.Name, "ID", f.Patient.ID, "Birth Date", f.Patient.BirthDate, "Sex", f.Patient.Sex)
	section(w, "Study", "Date", f.Study.Date, "Time", f.Study.Time, "Description", f.Study.Description, "Accession Number", f.Study.AccessionNumber,
		"Study Instance UID", f.Study.InstanceUID)
	section(w, "Series", "Modality", f.Series.Modality, "Number", f.Series.Number, "Description", f.Series.Description, "Series Instance UID", f.Series.InstanceUID)
	section(w, "Instance", "Number", f.Instance.Number, "Acquisition Date", f.Instance.AcquisitionDate, "Acquisition Time", f.Instance.AcquisitionTime)
	i := &f.Image
	if !i.HasPixelData {
		section(w, "Image", "Pixel Data", "none")
		return
	}
	section(w, "Image", "Dimensions", fmt.Sprintf("%d x %d", i.Columns, i.Rows), "Bits Allocated", fmt.Sprint(i.BitsAllocated), "Bits Stored", fmt.Sprint(i.BitsStored),
		"Samples per Pixel", fmt.Sprint(i.SamplesPerPixel), "Photometric Interpretation", i.PhotometricInterpretation,
		"Number of Frames", fmt.Sprint(i.NumberOfFrames), "Pixel Data Size", sizeText(i.PixelDataSize))
}

func section(w io.Writer, title string, pairs ...string) {
	fmt.Fprintf(w, "%s\n", title)
	for i := 0; i < len(pairs); i += 2 {
		if v := strings.Map(printable, pairs[i+1]); v != "" {
			fmt.Fprintf(w, "  %-27s %s\n", pairs[i]+":", v)
		}
	}
}

// printable keeps what a file says from moving the cursor of a terminal.
func printable(r rune) rune {
	if r < ' ' || r >= 0x7F && r < 0xA0 {
		return '?'
	}
	return r
}
