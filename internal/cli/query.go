package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// queryOptions make an identifier (PS3.4 C.4.1.1.3, C.4.2.1.4).
type queryOptions struct {
	model string
	level string
	keys  []string
}

func (o *queryOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.model, "model", "study", "information model: patient, study, or patient-study (retired)")
	c.Flags().StringVarP(&o.level, "level", "L", "STUDY", "PATIENT, STUDY, SERIES or IMAGE")
	c.Flags().StringArrayVarP(&o.keys, "key", "k", nil, "key to match or to return: Keyword, Keyword=value, gggg,eeee=value; may be repeated")
}

const keyHelp = `A key is a keyword or gggg,eeee, with =value to match by: * and ? are wildcards, a-b is a
range, a\b is a list of UIDs. An element of a sequence item is Sequence[0].Keyword=value.`

// class returns the SOP Class of an operation in the model: 1 is FIND, 2 MOVE, 3 GET.
func (o *queryOptions) class(operation int) (uid.UID, error) {
	models := map[string][3]uid.UID{
		"patient":       {uid.PatientRootQueryRetrieveInformationModelFind, uid.PatientRootQueryRetrieveInformationModelMove, uid.PatientRootQueryRetrieveInformationModelGet},
		"study":         {uid.StudyRootQueryRetrieveInformationModelFind, uid.StudyRootQueryRetrieveInformationModelMove, uid.StudyRootQueryRetrieveInformationModelGet},
		"patient-study": {uid.PatientStudyOnlyQueryRetrieveInformationModelFind, uid.PatientStudyOnlyQueryRetrieveInformationModelMove, uid.PatientStudyOnlyQueryRetrieveInformationModelGet},
	}
	m, ok := models[o.model]
	if !ok {
		return "", fail(ExitUsage, "--model %q: want patient, study or patient-study", o.model)
	}
	return m[operation-1], nil
}

// identifier builds the data set to send, with extra keys that are returned where the
// user named none.
func (o *queryOptions) identifier(defaults ...tag.Tag) (*dicom.DataSet, error) {
	level := strings.ToUpper(o.level)
	switch level {
	case "PATIENT", "STUDY", "SERIES", "IMAGE":
	default:
		return nil, fail(ExitUsage, "--level %q: want PATIENT, STUDY, SERIES or IMAGE", o.level)
	}
	tree := new(keyTree)
	for _, t := range defaults {
		tree.at(nil).put(t, "")
	}
	for _, k := range o.keys {
		if err := tree.add(k); err != nil {
			return nil, fail(ExitUsage, "key %q: %w", k, err)
		}
	}
	tree.put(tag.QueryRetrieveLevel, level)
	ds, err := tree.build()
	if err != nil {
		return nil, fail(ExitUsage, "%w", err)
	}
	return ds, nil
}

// keyTree is an identifier being put together.
type keyTree struct {
	tags   []tag.Tag
	values []string
	items  map[tag.Tag]*keyTree
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

func (k *keyTree) at(p dicom.Path) *keyTree {
	for _, s := range p {
		if k.items == nil {
			k.items = map[tag.Tag]*keyTree{}
		}
		if k.items[s.Tag] == nil {
			k.items[s.Tag] = new(keyTree)
		}
		k = k.items[s.Tag]
	}
	return k
}

func (k *keyTree) add(key string) error {
	expr, value, _ := strings.Cut(key, "=")
	p, t, err := dicom.ParsePath(strings.Trim(expr, "()"))
	if err != nil {
		return err
	}
	for _, s := range p {
		if s.Index != 0 {
			return fmt.Errorf("a sequence in a query has one item, number 0")
		}
	}
	k.at(p).put(t, value)
	return nil
}

func (k *keyTree) build() (*dicom.DataSet, error) {
	e := new(dicom.DataSet).Edit()
	for i, t := range k.tags {
		switch v := dict.VROf(t); {
		case v == vr.SQ:
			e.SetItems(t)
		case v == 0:
			e.SetTextAs(t, vr.LO, k.values[i])
		case k.values[i] == "":
			e.SetBytes(t, v, nil)
		default:
			e.SetTextAs(t, v, strings.Split(k.values[i], `\`)...)
		}
	}
	for t, item := range k.items {
		ds, err := item.build()
		if err != nil {
			return nil, err
		}
		e.SetItems(t, ds)
	}
	return e.Build()
}
