package index

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/record"
)

// Bounds of what is kept of one instance.
const (
	maxValue = 4 << 10  // bytes of one value
	maxKept  = 64 << 10 // bytes of all values
	maxRefs  = 4096     // referenced instances
	maxText  = 1024     // bytes of an indexed column
)

// Entry is a record on its way into the index. Fault is set for a record that the store
// could not read or that cannot be applied; it is quarantined.
type Entry struct {
	Envelope record.Envelope
	Stored   record.Stored
	Fault    error

	Class        uid.UID
	Name         string // of the patient, as in the data set
	Names        []string
	StudyDate    string
	StudyTime    string
	Accession    string
	Modality     string
	SeriesNumber int64
	Number       int64
	Attrs        []byte // kept attributes, see Kept
	References   []uid.UID
}

// EntryOf makes the entry of an object from its data set, of which all up to the pixel
// data is enough. The envelope decides what object and patient it is.
func EntryOf(ds *dicom.DataSet, env record.Envelope, stored record.Stored) (Entry, error) {
	e := Entry{Envelope: env, Stored: stored}
	ds, err := coerce(ds, env.Coercions)
	if err != nil {
		return e, fmt.Errorf("coerced attributes: %w", err)
	}
	e.Class = env.Class
	e.Name = clip(ds.Text(tag.PatientName))
	e.Names = NamesOf(ds)
	e.StudyDate = clip(strings.ReplaceAll(ds.Text(tag.StudyDate), ".", ""))
	e.StudyTime = clip(ds.Text(tag.StudyTime))
	e.Accession = clip(ds.Text(tag.AccessionNumber))
	e.Modality = clip(ds.Text(tag.Modality))
	e.SeriesNumber = intOf(ds, tag.SeriesNumber)
	e.Number = intOf(ds, tag.InstanceNumber)
	e.References = referencesOf(ds)
	kept, err := keep(ds)
	if err != nil {
		return e, fmt.Errorf("attributes to keep: %w", err)
	}
	if e.Attrs, err = dicom.AppendEncode(nil, kept, uid.ExplicitVRLittleEndian); err != nil {
		return e, fmt.Errorf("attributes to keep: %w", err)
	}
	return e, nil
}

func coerce(ds *dicom.DataSet, list []record.Coercion) (*dicom.DataSet, error) {
	if len(list) == 0 {
		return ds, nil
	}
	ed := ds.Edit()
	for _, c := range list {
		ed.SetText(tag.Tag(c.Tag), c.To)
	}
	return ed.Build()
}

// clip bounds an indexed column; the kept attributes have the whole value.
func clip(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func intOf(ds *dicom.DataSet, t tag.Tag) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(ds.Text(t)), 10, 32)
	if err != nil {
		return 0
	}
	return n
}

// NamesOf returns the folded component groups of the patient's names, each once.
func NamesOf(ds *dicom.DataSet) []string {
	var out []string
	for _, name := range ds.Texts(tag.PatientName) {
		if len(name) > maxValue {
			continue // not kept either
		}
		for _, g := range match.FoldName(name) {
			if g != "" && !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	return out
}

// referencesOf collects Referenced SOP Instance UIDs at any depth, sorted, each once.
func referencesOf(ds *dicom.DataSet) []uid.UID {
	var out []uid.UID
	for _, e := range ds.Walk() {
		if e.Tag != tag.ReferencedSOPInstanceUID {
			continue
		}
		for _, u := range e.Texts() {
			if u != "" && len(u) <= uid.MaxLength {
				out = append(out, uid.UID(u))
			}
		}
		if len(out) > 4*maxRefs {
			break
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxRefs)]
}

// keep drops what is too large to be kept: large values, then sequences from the longest
// on until the rest fits.
func keep(ds *dicom.DataSet) (*dicom.DataSet, error) {
	ed := ds.Edit()
	total, changed := int64(0), false
	type part struct {
		t tag.Tag
		n int64
	}
	var parts []part
	for e := range ds.All() {
		n := sizeOf(e)
		if e.Tag.Group() <= 2 || e.Tag.IsGroupLength() || e.Tag >= tag.FloatPixelData && e.Tag.Group() == 0x7FE0 || n > maxValue && !e.IsSequence() || e.IsEncapsulated() {
			ed.Delete(e.Tag)
			changed = true
			continue
		}
		total += n
		parts = append(parts, part{e.Tag, n})
	}
	slices.SortStableFunc(parts, func(a, b part) int { return int(min(1, max(-1, b.n-a.n))) })
	for _, p := range parts {
		if total <= maxKept {
			break
		}
		ed.Delete(p.t)
		total -= p.n
		changed = true
	}
	if !changed {
		return ds, nil
	}
	return ed.Build()
}

// sizeOf returns the bytes that an element takes, all items of a sequence counted.
func sizeOf(e dicom.Element) int64 {
	n := e.Len() + 12
	for i := range e.ItemCount() {
		n += 16
		for c := range e.Item(i).All() {
			if n += sizeOf(c); n > maxKept {
				return n
			}
		}
	}
	return n
}

// Moment returns the Study Date and Time as an order of studies sees them.
func (e *Entry) Moment() string { return e.StudyDate + " " + e.StudyTime }

// Location returns where the entry's object is.
func (e *Entry) Location() Location {
	v := &e.Envelope
	return Location{Record: v.ID, Class: v.Class, Instance: v.Instance, Syntax: v.Syntax, Study: v.Study, Series: v.Series,
		PatientID: v.PatientID, Issuer: v.Issuer, Ref: e.Stored.Ref, Sums: e.Stored.Sums, Version: v.Number,
		Current: v.Current, Conflict: v.Conflict, Received: v.Received.UTC()}
}
