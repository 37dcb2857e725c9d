package verb

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/sqlite"
)

// Browse looks into the index of an archive, which may be at work.
type Browse struct {
	Common
	Database string // the file, or the storage folder
	Command  string

	PatientID, PatientName, Study, Series, Modality, From, To string

	Limit, Offset int
	Format        string // table, csv or json
}

// BrowseCommands are what Browse does.
func BrowseCommands() []string {
	return []string{"patients", "studies", "series", "instances", "stats", "vacuum", "verify", "analyze", "checkpoint"}
}

// Run does it.
func (o *Browse) Run(ctx context.Context, s *Stdio) error {
	switch o.Format {
	case "", "table", "csv", "json":
	default:
		return Fail(Usage, "--format %q: want table, csv or json", o.Format)
	}
	name := o.Database
	if st, err := os.Stat(name); err == nil && st.IsDir() {
		name = filepath.Join(name, "index.db")
	}
	if _, err := os.Stat(name); err != nil {
		return Fail(NoInput, "database: %w", err)
	}
	x, err := sqlite.Open(ctx, name, sqlite.Options{})
	if err != nil {
		return Fail(NoInput, "%w", err)
	}
	defer x.Close()
	b := &browser{o: o, x: x, name: name, out: tabwriter.NewWriter(s.Out, 0, 8, 2, ' ', 0), w: s.Out}
	err = b.run(ctx)
	if ferr := b.out.Flush(); err == nil {
		err = ferr
	}
	return err
}

type browser struct {
	o    *Browse
	x    *sqlite.Index
	name string
	out  *tabwriter.Writer
	w    io.Writer
}

func (b *browser) run(ctx context.Context) error {
	switch b.o.Command {
	case "patients":
		return b.list(ctx, index.Patient, []string{"ID", "Name", "Birth Date", "Sex", "Studies"}, patientRow)
	case "studies":
		return b.list(ctx, index.Study, []string{"Study UID", "Date", "Description", "Modalities", "Series"}, studyRow)
	case "series":
		return b.list(ctx, index.Series, []string{"Series UID", "Modality", "Number", "Description", "Instances"}, seriesRow)
	case "instances":
		return b.list(ctx, index.Image, []string{"SOP Instance UID", "Number", "Size", "File Path"}, instanceRow)
	case "stats":
		return b.stats(ctx)
	case "verify":
		return b.verify(ctx)
	case "vacuum":
		return b.vacuum(ctx)
	case "analyze":
		return b.maintain(ctx, b.x.Analyze, "analyzed")
	case "checkpoint":
		return b.maintain(ctx, b.x.Checkpoint, "the write-ahead log is in the database file")
	}
	return Fail(Usage, "no command %q: want one of %s", b.o.Command, strings.Join(BrowseCommands(), ", "))
}

func patientRow(r *index.Row) []string {
	return append(texts(r, tag.PatientID, tag.PatientName, tag.PatientBirthDate, tag.PatientSex), fmt.Sprint(r.Counts.PatientStudies))
}

func studyRow(r *index.Row) []string {
	return append(texts(r, tag.StudyInstanceUID, tag.StudyDate, tag.StudyDescription), strings.Join(r.Modalities, `\`), fmt.Sprint(r.Counts.StudySeries))
}

func seriesRow(r *index.Row) []string {
	return append(texts(r, tag.SeriesInstanceUID, tag.Modality, tag.SeriesNumber, tag.SeriesDescription), fmt.Sprint(r.Counts.SeriesInstances))
}

func instanceRow(r *index.Row) []string {
	file, _, _ := fsblob.Where(r.Location.Ref)
	return append(texts(r, tag.SOPInstanceUID, tag.InstanceNumber), fmt.Sprint(r.Location.Sums.Size()), file)
}

func texts(r *index.Row, tags ...tag.Tag) []string {
	out := make([]string, len(tags))
	for i, t := range tags {
		if out[i] = strings.Join(r.Attrs.Texts(t), `\`); len(out[i]) > uid.MaxLength || dict.VROf(t) != vr.UI {
			out[i] = cell(out[i])
		}
	}
	return out
}

// identifier makes the query of the filters.
func (o *Browse) identifier() (*dicom.DataSet, error) {
	e := new(dicom.DataSet).Edit()
	for t, v := range map[tag.Tag]string{
		tag.PatientID: o.PatientID, tag.PatientName: o.PatientName, tag.StudyInstanceUID: o.Study, tag.SeriesInstanceUID: o.Series,
	} {
		if v != "" {
			e.SetText(t, v)
		}
	}
	if o.Modality != "" && (o.Command == "patients" || o.Command == "studies") {
		e.SetText(tag.ModalitiesInStudy, o.Modality)
	} else if o.Modality != "" {
		e.SetText(tag.Modality, o.Modality)
	}
	if o.From != "" || o.To != "" {
		e.SetText(tag.StudyDate, o.From+"-"+o.To)
	}
	return e.Build()
}

func (b *browser) list(ctx context.Context, level index.Level, head []string, row func(*index.Row) []string) error {
	ds, err := b.o.identifier()
	if err != nil {
		return Fail(Usage, "%w", err)
	}
	s, err := index.SearchOf(level, ds, index.Options{})
	if err != nil {
		return Fail(Usage, "%w", err)
	}
	s.Limit, s.Offset, s.Budget = b.o.Limit, b.o.Offset, -1
	out := newRows(b.w, b.o.Format, head...)
	for r, err := range b.x.Search(ctx, s) {
		if err != nil {
			return Fail(NoInput, "%w", err)
		}
		out.add(row(r)...)
	}
	return out.end()
}

// pair is a line of what is told about the database.
type pair struct {
	name  string
	value any
}

// tell prints pairs in the format asked for.
func (b *browser) tell(pairs ...pair) error {
	switch b.o.Format {
	case "json":
		object := map[string]any{}
		for _, p := range pairs {
			object[camel(p.name)] = p.value
		}
		return outcomeJSON(b.w, object)
	case "csv":
		out := newRows(b.w, "csv", "Name", "Value")
		for _, p := range pairs {
			out.add(p.name, fmt.Sprint(p.value))
		}
		return out.end()
	}
	for _, p := range pairs {
		fmt.Fprintf(b.out, "%s:\t%v\n", p.name, p.value)
	}
	return nil
}

func (b *browser) stats(ctx context.Context) error {
	st, err := b.x.State(ctx)
	if err != nil {
		return Fail(NoInput, "%w", err)
	}
	version, err := b.x.Schema(ctx)
	if err != nil {
		return Fail(NoInput, "%w", err)
	}
	size, err := b.x.Size(ctx)
	if err != nil {
		return Fail(NoInput, "%w", err)
	}
	average := int64(0)
	if st.Instance > 0 {
		average = st.Bytes / st.Instance
	}
	return b.tell(pair{"Database Path", b.name}, pair{"Schema Version", version}, pair{"Database Size", size}, pair{"Patients", st.Patients},
		pair{"Studies", st.Studies}, pair{"Series", st.Series}, pair{"Instances", st.Instance}, pair{"Total File Size", st.Bytes}, pair{"Average File Size", average})
}

// fewMissing are named unless all are asked for.
const fewMissing = 10

// verify looks whether the files are there that the index names, and long enough.
func (b *browser) verify(ctx context.Context) error {
	dir, err := b.x.Objects(ctx)
	if err != nil {
		return Fail(NoInput, "%w", err)
	}
	if dir == "" {
		dir = filepath.Dir(b.name)
	}
	total, missing := 0, 0
	sizes := map[string]int64{}
	for l, err := range b.x.All(ctx) {
		if err != nil {
			return Fail(NoInput, "%w", err)
		}
		total++
		file, least, ok := fsblob.Where(l.Ref)
		if ok && fileSize(sizes, filepath.Join(dir, filepath.FromSlash(file))) >= least {
			continue
		}
		if missing++; b.o.Format != "json" && (missing <= fewMissing || b.o.Say >= Verbose) {
			fmt.Fprintf(b.w, "Missing: %s in %s\n", l.Instance, file)
		}
	}
	err = b.tell(pair{"Total Instances", total}, pair{"Files Found", total - missing}, pair{"Files Missing", missing})
	if err == nil && missing > 0 {
		err = Ended(Partial)
	}
	return err
}

// fileSize remembers the sizes of segments, which many objects lie in; -1 for none.
func fileSize(seen map[string]int64, name string) int64 {
	if n, ok := seen[name]; ok {
		return n
	}
	n := int64(-1)
	if st, err := os.Stat(name); err == nil {
		n = st.Size()
	}
	if strings.HasSuffix(name, ".tar") {
		seen[name] = n
	}
	return n
}

func (b *browser) vacuum(ctx context.Context) error {
	before, err := b.x.Size(ctx)
	if err == nil {
		err = b.x.Vacuum(ctx)
	}
	if err != nil {
		return Fail(NoInput, "%w; is the archive busy?", err)
	}
	after, err := b.x.Size(ctx)
	if err != nil {
		return Fail(NoInput, "%w", err)
	}
	return b.tell(pair{"Before", before}, pair{"After", after}, pair{"Saved", before - after})
}

func (b *browser) maintain(ctx context.Context, do func(context.Context) error, said string) error {
	if err := do(ctx); err != nil {
		return Fail(NoInput, "%w; is the archive busy?", err)
	}
	fmt.Fprintln(b.out, said)
	return nil
}
