package verb

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/service/query"
)

// Find queries a peer (C-FIND, PS3.4 C.4.1).
type Find struct {
	Common
	Peer
	Query
	Layout     string // text, json, csv, xml, table; see the layouts of each form
	File       string // where answers go; empty is standard output
	Most       int    // stop after so many answers, 0 is never
	Extract    string // folder for answers as files, empty for none
	AsXML      bool   // extract as XML
	OneXML     string // all answers into this XML file
	KeepMost   int    // extract only so many, 0 is all
	Folder     string // where Extract goes once it is asked for; DCMTK gives it apart
	Hide       bool   // print no answers
	Show       bool   // print answers also when they are extracted
	Syntaxes   []uid.UID
	Repeat     int
	Abort      bool
	EmptyIsBad bool           // no answer is Nothing, not Done
	DecodeUIDs bool           // odil's form: names in place of the UIDs that have one
	NoDefaults bool           // ask for nothing that was not named
	Modality   string         // a key whose element depends on the level
	Options    query.Extended // to be negotiated
	Urgency    string         // high, medium or low; empty is medium
	Batch      string         // file of queries, one a line; "-" is standard input, empty is none
	Jobs       int            // associations of a batch
}

// asked are the keys of a level that are returned unless the user names keys.
func asked(level string) []tag.Tag {
	switch strings.ToUpper(level) {
	case "PATIENT":
		return []tag.Tag{tag.PatientName, tag.PatientID, tag.PatientBirthDate, tag.PatientSex}
	case "STUDY":
		return []tag.Tag{tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.ModalitiesInStudy, tag.StudyDescription,
			tag.PatientName, tag.PatientID, tag.StudyInstanceUID, tag.NumberOfStudyRelatedInstances}
	case "SERIES":
		return []tag.Tag{tag.Modality, tag.SeriesDescription, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SeriesNumber, tag.NumberOfSeriesRelatedInstances}
	}
	return []tag.Tag{tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.InstanceNumber}
}

// Run asks and prints.
func (o *Find) Run(ctx context.Context, s *Stdio) (err error) {
	class, err := o.class(finds)
	if err != nil {
		return err
	}
	if err := o.propose(class); err != nil {
		return err
	}
	if o.Batch != "" {
		return o.runBatch(ctx, s)
	}
	identifiers, err := o.questions()
	if err != nil {
		return err
	}
	if _, err := o.answers(io.Discard, identifiers[0]); err != nil {
		return err
	}
	o.says(s, Verbose, "Requesting Association")
	contexts := []dimse.Context{{Class: class, Syntaxes: o.Syntaxes}}
	a, err := o.dial(ctx, contexts)
	if err != nil {
		return err
	}
	defer a.Abort()
	o.says(s, Verbose, "Association Accepted")
	o.negotiated(s, a, contexts)
	o.optionsOf(s, a, class)
	w, done, err := o.output(s)
	if err != nil {
		return err
	}
	defer func() {
		if e := done(); e != nil && err == nil {
			err = Fail(Output, "%w", e)
		}
	}()
	f := finding{o: o, s: s, a: a, class: class, w: w}
	if err := f.all(ctx, identifiers); err != nil {
		return err
	}
	if o.Abort {
		o.says(s, Verbose, "Aborting Association")
		return f.outcome()
	}
	o.says(s, Verbose, "Releasing Association")
	release(ctx, a)
	return f.outcome()
}

func (o *Find) questions() ([]*dicom.DataSet, error) {
	var defaults []tag.Tag
	if !o.NoDefaults {
		defaults = asked(o.Level)
	}
	if o.Modality != "" {
		key := "Modality="
		if o.Level == "STUDY" {
			key = "ModalitiesInStudy="
		}
		o.Keys = append(o.Keys, key+o.Modality)
	}
	return o.identifiers(defaults...)
}

// output is where the answers go.
func (o *Find) output(s *Stdio) (*bufio.Writer, func() error, error) {
	if o.File == "" || o.File == "-" {
		w := bufio.NewWriter(o.screen(s))
		return w, w.Flush, nil
	}
	f, err := os.Create(o.File)
	if err != nil {
		return nil, nil, Fail(Output, "%w", err)
	}
	w := bufio.NewWriter(f)
	return w, func() error {
		if err := w.Flush(); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}, nil
}

// screen is where answers are shown: DCMTK's findscu has them in its log.
func (o *Find) screen(s *Stdio) io.Writer {
	switch {
	case o.Form != DCMTK:
		return s.Out
	case o.Say == Quiet:
		return io.Discard
	}
	return s.Err
}

// finding is a Find under way.
type finding struct {
	o     *Find
	s     *Stdio
	a     *dimse.Assoc
	class uid.UID
	w     *bufio.Writer
	found int
}

// all asks every question, Repeat times.
func (f *finding) all(ctx context.Context, identifiers []*dicom.DataSet) error {
	out, err := f.o.answers(f.w, identifiers[0])
	if err != nil {
		return err
	}
	x, err := newExtractor(f.o, f.class)
	if err != nil {
		return err
	}
	for range max(1, f.o.Repeat) {
		for _, q := range identifiers {
			f.o.says(f.s, Verbose, "Sending Find Request")
			f.o.says(f.s, Debug, "%d keys", q.Len())
			if err := f.ask(ctx, q, out, x); err != nil {
				return err
			}
		}
	}
	if err := x.end(); err != nil {
		return Fail(Output, "%w", err)
	}
	if err := out.end(); err != nil {
		return Fail(Output, "%w", err)
	}
	return nil
}

func (f *finding) ask(ctx context.Context, q *dicom.DataSet, out answers, x *extractor) error {
	n := 0
	for ds, err := range f.a.FindAt(ctx, f.o.priority(), f.class, q) {
		if err != nil {
			f.w.Flush()
			return Fail(Failed, "C-FIND: %w", err)
		}
		if n++; f.o.Most > 0 && n > f.o.Most {
			f.o.says(f.s, Normal, "stopped after %d answers, there are more", f.o.Most)
			break // which sends C-CANCEL
		}
		f.found++
		if f.o.prints() {
			if err := out.answer(ds); err != nil {
				return Fail(Output, "%w", err)
			}
		}
		if err := x.answer(ds); err != nil {
			return Fail(Output, "%w", err)
		}
	}
	f.o.says(f.s, Verbose, "Received Final Find Response")
	return nil
}

func (f *finding) outcome() error {
	if f.found == 0 && f.o.EmptyIsBad {
		if f.o.Form == Described && f.o.Layout == "text" || f.o.Layout == "table" {
			f.o.says(f.s, Normal, "No results found")
		}
		return Ended(Nothing)
	}
	return nil
}

// prints reports whether answers are printed: DCMTK's tool either extracts or prints.
func (o *Find) prints() bool {
	extracts := o.Form == DCMTK && (o.Extract != "" || o.OneXML != "")
	return !o.Hide && (o.Show || !extracts)
}
