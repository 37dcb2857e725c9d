package verb

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Query makes identifiers (PS3.4 C.4.1.1.3, C.4.2.1.4).
type Query struct {
	Model string   // patient, study, patient-study, or worklist, which can only be found
	Level string   // PATIENT, STUDY, SERIES or IMAGE; empty: as the keys say
	Keys  []string // tag or keyword, with =value
	Lists []string // text files of keys
	Files []string // DICOM files of keys, a query each
}

// classes returns the SOP Class of an operation in the model.
func (o *Query) class(operation int) (uid.UID, error) {
	var m [3]uid.UID
	switch o.Model {
	case "patient":
		m = [3]uid.UID{uid.PatientRootQueryRetrieveInformationModelFind, uid.PatientRootQueryRetrieveInformationModelMove, uid.PatientRootQueryRetrieveInformationModelGet}
	case "study":
		m = [3]uid.UID{uid.StudyRootQueryRetrieveInformationModelFind, uid.StudyRootQueryRetrieveInformationModelMove, uid.StudyRootQueryRetrieveInformationModelGet}
	case "patient-study":
		m = [3]uid.UID{uid.PatientStudyOnlyQueryRetrieveInformationModelFind, uid.PatientStudyOnlyQueryRetrieveInformationModelMove, uid.PatientStudyOnlyQueryRetrieveInformationModelGet}
	case "worklist":
		m[0] = uid.ModalityWorklistInformationModelFind
	}
	if m[operation] == "" {
		return "", Fail(Usage, "model %q: want patient, study or patient-study", o.Model)
	}
	return m[operation], nil
}

// The operations that class knows.
const (
	finds = iota
	moves
	gets
)

// identifiers builds the data sets to send, one for each of Files, with extra keys that
// are returned where the user named none.
func (o *Query) identifiers(defaults ...tag.Tag) ([]*dicom.DataSet, error) {
	tree := new(keyTree)
	for _, t := range defaults {
		tree.put(t, "")
	}
	if err := o.fill(tree); err != nil {
		return nil, err
	}
	bases := []*dicom.DataSet{new(dicom.DataSet)}
	if len(o.Files) > 0 {
		bases = bases[:0]
	}
	for _, name := range o.Files {
		f, err := part10.Open(name, dicom.DecodeOptions{})
		if err != nil {
			return nil, Fail(Usage, "query file %s: %w", name, err)
		}
		defer f.Close()
		bases = append(bases, f.DataSet)
	}
	var out []*dicom.DataSet
	for _, base := range bases {
		ds, err := tree.build(base)
		if err != nil {
			return nil, Fail(Usage, "%w", err)
		}
		out = append(out, ds)
	}
	return out, nil
}

func (o *Query) fill(tree *keyTree) error {
	for _, name := range o.Lists {
		if err := readKeys(tree, name); err != nil {
			return Fail(Usage, "query file %s: %w", name, err)
		}
	}
	for _, k := range o.Keys {
		if err := tree.add(k); err != nil {
			return Fail(Usage, "key %q: %w", k, err)
		}
	}
	level := strings.ToUpper(o.Level)
	switch level {
	case "":
		return nil
	case "PATIENT", "STUDY", "SERIES", "IMAGE":
		tree.put(tag.QueryRetrieveLevel, level)
		return nil
	}
	return Fail(Usage, "level %q: want PATIENT, STUDY, SERIES or IMAGE", o.Level)
}

// levelOf is the level that an identifier asks for.
func levelOf(identifier *dicom.DataSet) string {
	return strings.ToUpper(identifier.Text(tag.QueryRetrieveLevel))
}

// maxKeys bounds a file of keys.
const maxKeys = 10_000

// readKeys reads one key a line: (gggg,eeee)=value. # begins a comment.
func readKeys(tree *keyTree, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 16<<20))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if n > maxKeys {
			return fmt.Errorf("more than %d lines", maxKeys)
		}
		if err := tree.add(line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// keyTree is an identifier being put together.
type keyTree struct {
	tags   []tag.Tag
	values []string
	items  []keyItem
}

type keyItem struct {
	tag  tag.Tag
	tree *keyTree
}

func (k *keyTree) put(t tag.Tag, value string) {
	for i, have := range k.tags {
		if have == t {
			k.values[i] = value
			return
		}
	}
	k.tags, k.values = append(k.tags, t), append(k.values, value)
}

func (k *keyTree) item(t tag.Tag) *keyTree {
	for _, i := range k.items {
		if i.tag == t {
			return i.tree
		}
	}
	k.items = append(k.items, keyItem{t, new(keyTree)})
	return k.items[len(k.items)-1].tree
}

func (k *keyTree) add(key string) error {
	expr, value, _ := strings.Cut(key, "=")
	expr = strings.TrimSpace(expr)
	if rest, ok := strings.CutPrefix(expr, "("); ok && strings.HasSuffix(expr, ")") && !strings.Contains(rest, "(") {
		expr = strings.Trim(expr, "()")
	}
	p, t, err := dicom.ParsePath(expr)
	if err != nil {
		return err
	}
	for _, s := range p {
		if s.Index != 0 {
			return fmt.Errorf("a sequence in a query has one item, number 0")
		}
		k = k.item(s.Tag)
	}
	k.put(t, strings.TrimSpace(value))
	return nil
}

// build returns base with the keys set in it.
func (k *keyTree) build(base *dicom.DataSet) (*dicom.DataSet, error) {
	e := base.Edit()
	for i, t := range k.tags {
		setKey(e, t, k.values[i])
	}
	for _, i := range k.items {
		inner, ok := base.Item(i.tag, 0)
		if !ok {
			inner = new(dicom.DataSet)
		}
		ds, err := i.tree.build(inner)
		if err != nil {
			return nil, err
		}
		e.SetItems(i.tag, ds)
	}
	return e.Build()
}

func setKey(e *dicom.Editor, t tag.Tag, value string) {
	switch v := dict.VROf(t); {
	case v == vr.SQ:
		e.SetItems(t)
	case v == 0:
		e.SetTextAs(t, vr.LO, value)
	case value == "":
		e.SetBytes(t, v, nil)
	default:
		e.SetTextAs(t, v, strings.Split(value, `\`)...)
	}
}
