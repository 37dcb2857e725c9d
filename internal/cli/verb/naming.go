package verb

import (
	"os"
	"path/filepath"
	"strings"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
)

// Naming is how files of a Folder are called.
type Naming uint8

// The namings.
const (
	ByInstance Naming = iota // SOP.dcm
	BySeries                 // Study/Series/SOP.dcm
	ByDate                   // YYYY/MM/DD/Study/SOP.dcm, by Study Date
	ByModality               // CT.SOP, as DCMTK has it
	ByPatient                // name/study/series/SOP.dcm, by what people call them
	ByViewer                 // YYYYMM/YYYYMMDDHHMMSS_accession/prefix_SOP.dcm; prefix angio for XA, else none
)

// place is the name of a file, without the folder.
func (f *Folder) place(tmp *os.File, size int64, in *dimse.Incoming) (string, error) {
	extension := f.Extension
	switch extension {
	case "":
		extension = ".dcm"
	case "-":
		extension = ""
	}
	name := string(in.Instance) + extension
	if f.Naming == ByModality {
		name = modalityOf(in.Class) + "." + name
	}
	flat := f.Naming == ByInstance || f.Naming == ByModality
	if flat && !f.ByStudy && f.room == nil {
		return f.numberedOr(".", name)
	}
	ds, err := f.head(tmp, size, in)
	if err != nil {
		return "", err
	}
	study := part(ds.UID(tag.StudyInstanceUID))
	if f.room != nil {
		if err := f.room(ds.UID(tag.StudyInstanceUID)); err != nil {
			return "", err
		}
	}
	switch {
	case f.ByStudy:
		return filepath.Join(strings.TrimPrefix(f.StudyPrefix+"_"+study, "_"), name), nil
	case flat:
		return name, nil
	case f.Naming == ByPatient:
		dir := f.treeName(ds)
		return f.numberedOr(dir, filepath.Join(dir, name))
	case f.Naming == BySeries:
		return filepath.Join(study, part(ds.UID(tag.SeriesInstanceUID)), name), nil
	case f.Naming == ByViewer:
		return viewerName(ds, name)
	}
	date := ds.Text(tag.StudyDate)
	if !isDate(date) {
		return filepath.Join("unknown", study, name), nil
	}
	return filepath.Join(date[:4], date[4:6], date[6:], study, name), nil
}

// numberedOr is the next number in dir where names are to fit media, else name.
func (f *Folder) numberedOr(dir, name string) (string, error) {
	if f.ISO9660 {
		return f.numberedName(dir)
	}
	return name, nil
}

// head is what names are made of.
func (f *Folder) head(tmp *os.File, size int64, in *dimse.Incoming) (*dicom.DataSet, error) {
	o := dicom.DecodeOptions{Until: tag.AcquisitionNumber}
	if f.Bare {
		o.Syntax = in.Syntax
	}
	file, err := part10.NewFile(tmp, size, o)
	if err != nil {
		return nil, &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "the data set cannot be read", Err: err}
	}
	return file.DataSet, nil
}

// viewerName is a name of the layout ByViewer. An object without its study's UIDs has no
// place there.
func viewerName(ds *dicom.DataSet, name string) (string, error) {
	if !ds.UID(tag.StudyInstanceUID).Valid() || !ds.UID(tag.SeriesInstanceUID).Valid() {
		return "", &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "Study or Series Instance UID is missing"}
	}
	month, moment := "unknown", "unknown"
	if date := ds.Text(tag.StudyDate); isDate(date) {
		time, _, _ := strings.Cut(ds.Text(tag.StudyTime), ".")
		month, moment = date[:6], date+(keepOnly(time, isDigit) + "000000")[:6]
	}
	accession := keepOnly(ds.Text(tag.AccessionNumber), isPlain)
	prefix := ""
	if strings.TrimSpace(ds.Text(tag.Modality)) == "XA" {
		prefix = "angio"
	}
	return filepath.Join(month, moment+"_"+accession[:min(len(accession), 64)], prefix+"_"+name), nil
}

// keepOnly drops what does not fit: no path comes from the wire.
func keepOnly(s string, fits func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if fits(r) {
			return r
		}
		return -1
	}, s)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isPlain(r rune) bool {
	return isDigit(r) || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-'
}

func isDate(s string) bool { return len(s) == 8 && keepOnly(s, isDigit) == s }

// part is a UID as part of a path.
func part(u uid.UID) string {
	if u.Valid() {
		return string(u)
	}
	return "unknown"
}

// modalityOf is what DCMTK puts before the names of files.
func modalityOf(class uid.UID) string {
	switch class {
	case uid.ComputedRadiographyImageStorage:
		return "CR"
	case uid.CTImageStorage:
		return "CT"
	case uid.MRImageStorage:
		return "MR"
	case uid.UltrasoundImageStorage, uid.UltrasoundMultiFrameImageStorage:
		return "US"
	case uid.SecondaryCaptureImageStorage:
		return "SC"
	case uid.NuclearMedicineImageStorage:
		return "NM"
	case uid.PositronEmissionTomographyImageStorage:
		return "PI"
	case uid.XRayAngiographicImageStorage:
		return "XA"
	case uid.XRayRadiofluoroscopicImageStorage:
		return "RF"
	}
	return "UNKNOWN"
}
