package dimsefront

import (
	"fmt"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/service/query"
)

func answer(t *testing.T, name string) *dicom.DataSet {
	t.Helper()
	ds, err := new(dicom.DataSet).Edit().SetText(tag.PatientName, name).Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestCacheEndsWithAChange(t *testing.T) {
	var c findCache
	c.put("k", 7, []*dicom.DataSet{answer(t, "A"), answer(t, "B")})
	got := ""
	list, ok := c.get("k", 7)
	if !ok {
		t.Fatal("not kept")
	}
	for ds := range list {
		got += ds.Text(tag.PatientName)
	}
	if got != "AB" {
		t.Errorf("%q", got)
	}
	if _, ok := c.get("k", 8); ok {
		t.Error("kept beyond a change")
	}
	if _, ok := c.get("other", 7); ok {
		t.Error("an answer to another question")
	}
}

func TestCacheIsBounded(t *testing.T) {
	var c findCache
	ds := answer(t, "A")
	for i := range 10 * cachedEntries {
		c.put(fmt.Sprint(i), 1, []*dicom.DataSet{ds})
	}
	if len(c.entries) > cachedEntries || c.bytes > cachedBytes {
		t.Errorf("%d entries, %d bytes", len(c.entries), c.bytes)
	}
}

func TestKeyTellsQueriesApart(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"A", "B"} {
		for _, model := range []query.Model{query.PatientRoot, query.StudyRoot} {
			for _, combined := range []bool{false, true} {
				seen[keyOf(&query.Query{Model: model, Extended: query.Extended{DateTime: combined}, Identifier: answer(t, name)})] = true
			}
		}
	}
	if len(seen) != 8 || seen[""] {
		t.Errorf("%d keys for 8 queries", len(seen))
	}
}
