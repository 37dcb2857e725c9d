package verb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
)

const (
	// maxSeries bounds the instances of a series that a peer may list.
	maxSeries = 1_000_000
	// listed is how many SOP Instance UIDs a request names (PS3.4 C.2.2.2.2).
	listed = 100
)

// uniqueKeys are those of the levels of the information models (PS3.4 C.6.1.1, C.6.2.1).
var uniqueKeys = []levelKey{{"PATIENT", tag.PatientID}, {"STUDY", tag.StudyInstanceUID}, {"SERIES", tag.SeriesInstanceUID}, {"IMAGE", tag.SOPInstanceUID}}

type levelKey struct {
	level string
	key   tag.Tag
}

// instances are SOP Instance UIDs.
type instances map[uid.UID]struct{}

// gap finds out what is not there yet and asks for that alone.
type gap struct {
	peer  *dimse.Assoc // that has the objects
	class uid.UID      // to find them by
	have  func(ctx context.Context, series *dicom.DataSet) (instances, error)
	there int // instances that need not be asked for
}

// of returns the identifiers of what an identifier stands for and is not there, each at
// the level IMAGE. Other requests may be made while they are ranged over.
func (m *gap) of(ctx context.Context, identifier *dicom.DataSet) iter.Seq2[*dicom.DataSet, error] {
	return func(yield func(*dicom.DataSet, error) bool) {
		level := slices.IndexFunc(uniqueKeys, func(k levelKey) bool { return k.level == levelOf(identifier) })
		if level < 0 {
			yield(nil, Fail(Usage, "level %q: want PATIENT, STUDY, SERIES or IMAGE", levelOf(identifier)))
			return
		}
		m.below(ctx, identifier, level, yield)
	}
}

// below goes down from each entity that an identifier names; false ends the walk.
func (m *gap) below(ctx context.Context, identifier *dicom.DataSet, level int, yield func(*dicom.DataSet, error) bool) bool {
	if level == len(uniqueKeys)-1 {
		return m.images(ctx, identifier, yield)
	}
	for _, value := range identifier.Texts(uniqueKeys[level].key) {
		child := uniqueKeys[level+1]
		ask, err := withKeys(identifier, level, value).SetText(tag.QueryRetrieveLevel, child.level).SetBytes(child.key, vr.UI, nil).Build()
		if err != nil {
			return yield(nil, err)
		}
		if !m.children(ctx, ask, level+1, yield) {
			return false
		}
	}
	return true
}

// children goes down from each answer to a query at a level.
func (m *gap) children(ctx context.Context, ask *dicom.DataSet, level int, yield func(*dicom.DataSet, error) bool) bool {
	if level == len(uniqueKeys)-1 {
		return m.images(ctx, ask, yield)
	}
	key := uniqueKeys[level].key
	found, err := listUIDs(ctx, m.peer, m.class, ask, key)
	if err != nil {
		return yield(nil, err)
	}
	for _, u := range found {
		narrower, err := ask.Edit().SetUID(key, u).Build()
		if err != nil {
			return yield(nil, err)
		}
		if !m.below(ctx, narrower, level, yield) {
			return false
		}
	}
	return true
}

// withKeys keeps the unique keys down to a level, the last with one value.
func withKeys(identifier *dicom.DataSet, level int, value string) *dicom.Editor {
	e := new(dicom.DataSet).Edit()
	for _, k := range uniqueKeys[:level] {
		if v := identifier.Texts(k.key); len(v) > 0 {
			e.SetText(k.key, v...)
		}
	}
	return e.SetText(uniqueKeys[level].key, value)
}

// images asks for the instances of a series that are missing.
func (m *gap) images(ctx context.Context, series *dicom.DataSet, yield func(*dicom.DataSet, error) bool) bool {
	wanted := uids(series.Texts(tag.SOPInstanceUID))
	if len(wanted) == 0 {
		var err error
		if wanted, err = listUIDs(ctx, m.peer, m.class, series, tag.SOPInstanceUID); err != nil {
			return yield(nil, err)
		}
	}
	have, err := m.have(ctx, series)
	if err != nil {
		return yield(nil, err)
	}
	all := len(wanted)
	wanted = slices.DeleteFunc(wanted, func(u uid.UID) bool { _, ok := have[u]; return ok })
	m.there += all - len(wanted)
	for part := range slices.Chunk(wanted, listed) {
		ask, err := series.Edit().SetUID(tag.SOPInstanceUID, part...).Build()
		if !yield(ask, err) {
			return false
		}
	}
	return true
}

// listUIDs returns the values of a unique key in the answers to a query.
func listUIDs(ctx context.Context, a *dimse.Assoc, class uid.UID, ask *dicom.DataSet, key tag.Tag) ([]uid.UID, error) {
	var out []uid.UID
	for ds, err := range a.Find(ctx, class, ask) {
		if err != nil {
			return nil, fmt.Errorf("asking what there is: %w", err)
		}
		if len(out) == maxSeries {
			return nil, fmt.Errorf("asking what there is: more than %d answers", maxSeries)
		}
		if u := uid.UID(ds.Text(key)); u.Valid() {
			out = append(out, u)
		}
	}
	return out, nil
}

// inFolder is what a folder has: every naming ends in the SOP Instance UID, save for media,
// and a file has its name only when it is whole.
func inFolder(f *Folder) func(context.Context, *dicom.DataSet) (instances, error) {
	var have instances
	return func(context.Context, *dicom.DataSet) (instances, error) {
		if have != nil {
			return have, nil
		}
		have = instances{}
		err := filepath.WalkDir(f.Dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				if u := instanceOf(f, name); u.Valid() {
					have[u] = struct{}{}
				}
			}
			return err
		})
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return have, err
	}
}

// instanceOf tells the instance of a file by its name, and by what is in it where names are
// numbers.
func instanceOf(f *Folder, name string) uid.UID {
	base := strings.TrimSuffix(filepath.Base(name), ".dcm")
	if !f.ISO9660 {
		return uid.UID(base[strings.LastIndexByte(base, '_')+1:])
	}
	if digits, ok := strings.CutPrefix(base, "IM"); !ok || len(digits) != 6 || keepOnly(digits, isDigit) != digits {
		return ""
	}
	file, err := part10.Open(name, dicom.DecodeOptions{Until: tag.StudyDate})
	if err != nil {
		return ""
	}
	defer file.Close()
	return file.DataSet.UID(tag.SOPInstanceUID)
}

// atPeer is what another peer has of a series.
func atPeer(a *dimse.Assoc, class uid.UID) func(context.Context, *dicom.DataSet) (instances, error) {
	return func(ctx context.Context, series *dicom.DataSet) (instances, error) {
		ask, err := series.Edit().SetBytes(tag.SOPInstanceUID, vr.UI, nil).Build()
		if err != nil {
			return nil, err
		}
		found, err := listUIDs(ctx, a, class, ask, tag.SOPInstanceUID)
		have := make(instances, len(found))
		for _, u := range found {
			have[u] = struct{}{}
		}
		return have, err
	}
}

func uids(values []string) []uid.UID {
	var out []uid.UID
	for _, v := range values {
		if u := uid.UID(v); u.Valid() {
			out = append(out, u)
		}
	}
	return out
}

// rest asks for what is missing: the peer lists what there is, the folder or the
// destination what it has.
func (r *retrieving) rest(ctx context.Context, a *dimse.Assoc, identifiers []*dicom.DataSet) error {
	class, err := r.o.class(finds)
	if err != nil {
		return err
	}
	at, err := r.o.dial(ctx, []dimse.Context{{Class: class}})
	if err != nil {
		return err
	}
	defer at.Abort()
	before := r.total.Completed
	m := &gap{peer: at, class: class, have: inFolder(&r.o.Folder)}
	if r.o.Have != "" {
		stop, err := r.askDestination(ctx, m)
		if err != nil {
			return err
		}
		defer stop()
	}
	for _, identifier := range identifiers {
		for q, err := range m.of(ctx, identifier) {
			if err != nil {
				return err
			}
			if r.one(ctx, a, q); r.err != nil {
				return nil
			}
		}
	}
	r.there = max(0, m.there-int(before))
	release(ctx, at)
	return nil
}

// askDestination has m know what the destination has.
func (r *retrieving) askDestination(ctx context.Context, m *gap) (stop func(), err error) {
	p := r.o.Peer
	if err := p.Parse(r.o.Have); err != nil {
		return nil, err
	}
	a, err := p.dial(ctx, []dimse.Context{{Class: m.class}})
	if err != nil {
		return nil, err
	}
	m.have = atPeer(a, m.class)
	return func() { release(ctx, a) }, nil
}
