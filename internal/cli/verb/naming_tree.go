package verb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"gantry/dicom"
	"gantry/dicom/tag"
)

// treeName is the folder of the layout ByPatient: the patient's name or ID, the study's ID
// and description, the series' number and description. What has neither is numbered.
func (f *Folder) treeName(ds *dicom.DataSet) string {
	patient := ds.Text(tag.PatientName)
	if patient == "" {
		patient = ds.Text(tag.PatientID)
	}
	parts := []string{
		patient,
		f.called(ds.Text(tag.StudyID), ds.Text(tag.StudyDescription), ds.Text(tag.StudyInstanceUID)),
		f.called(ds.Text(tag.SeriesNumber), ds.Text(tag.SeriesDescription), ds.Text(tag.SeriesInstanceUID)),
	}
	for i, p := range parts {
		if parts[i] = harmless(p); f.ISO9660 {
			parts[i] = iso9660(p)
		}
	}
	return filepath.Join(parts...)
}

// called joins a number and a description, or counts the UIDs that have neither.
func (f *Folder) called(number, description, uid string) string {
	if name := strings.Trim(number+"_"+description, "_"); name != "" {
		return name
	}
	f.counting.Lock()
	defer f.counting.Unlock()
	if f.numbered == nil {
		f.numbered = map[string]int{}
	}
	n, ok := f.numbered[uid]
	if !ok {
		n = len(f.numbered) + 1
		f.numbered[uid] = n
	}
	return strconv.Itoa(n)
}

// maxPart bounds a name made of text from the wire.
const maxPart = 64

// harmless makes a text one component of a path, on every system: no path comes from the
// wire.
func harmless(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" ^_-.,=+()", r) {
			return r
		}
		return '_'
	}, s)
	if r := []rune(s); len(r) > maxPart {
		s = string(r[:maxPart])
	}
	s = strings.TrimRight(s, " .")
	if s == "" || s[0] == '.' || s[0] == '-' || s[0] == ' ' {
		s = "_" + s
	}
	return s
}

// iso9660 makes a text a component of a File ID (PS3.10 8.2): eight of A-Z, 0-9 and _.
func iso9660(s string) string {
	r := []rune(strings.ToUpper(s))
	s = strings.Map(func(r rune) rune {
		if isDigit(r) || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, string(r[:min(len(r), 8)]))
	if s == "" {
		return "_"
	}
	return s
}

// maxISO is the highest number of a file: IM999999.
const maxISO = 999_999

// numberedName is the next free name in a folder: IM000001 and so on.
func (f *Folder) numberedName(dir string) (string, error) {
	f.counting.Lock()
	defer f.counting.Unlock()
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	for n := f.counts[dir] + 1; n <= maxISO; n++ {
		name := filepath.Join(dir, fmt.Sprintf("IM%06d", n))
		if _, err := os.Lstat(filepath.Join(f.Dir, name)); err == nil {
			continue
		}
		f.counts[dir] = n
		return name, nil
	}
	return "", outOfResources(fmt.Errorf("%s: all names up to IM%d are taken", dir, maxISO))
}
