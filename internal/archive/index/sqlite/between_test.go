package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/record"
)

// TestWritesBetweenPages: what is there all the time is in an answer once, whatever comes
// and goes while it is read; what comes is not in it.
func TestWritesBetweenPages(t *testing.T) {
	set(t, &firstKeys, 4)
	set(t, &mostKeys, 16)
	set(t, &firstPage, 2)
	set(t, &nextPage, 5)
	rng := rand.New(rand.NewPCG(8, 3))
	names := []string{"Doe^John", "Doering^Ann", "Mado^Eli", "O^Do"}
	for round := range 20 {
		x := open(t, filepath.Join(t.TempDir(), "index.db"))
		var f indextest.Feeder
		n := 0
		entry := func() index.Entry {
			n++
			return f.Entry(t, indextest.Object{Patient: fmt.Sprint("P", n), Name: names[rng.IntN(4)], Study: uid.UID(fmt.Sprint("1.1.", n)), Date: fmt.Sprint(20200101 + rng.IntN(3)),
				Series: uid.UID(fmt.Sprint("1.2.", n)), SOP: uid.UID(fmt.Sprint("1.3.", n)), Class: uid.CTImageStorage})
		}
		var past []index.Entry
		for range 80 {
			past = append(past, entry())
		}
		indextest.Commit(t, x, past...)
		touched, old := map[string]bool{}, len(past)
		s := &index.Search{Level: index.Level(1 + rng.IntN(4)), Descending: rng.IntN(2) == 0, Order: index.Order(rng.IntN(4)), Budget: -1}
		if rng.IntN(4) > 0 {
			s.Where = append(s.Where, match.New(tag.PatientName, vr.PN, []string{"*do*", "doe*", "*o*", "*doe*n*"}[rng.IntN(4)]))
		}
		if rng.IntN(2) == 0 && s.Level > index.Patient {
			s.Where = append(s.Where, match.New(tag.StudyDate, vr.DA, "20200101-"))
		}
		before := indextest.Find(t, x, s)
		if len(before) < 20 {
			t.Fatal("few answers")
		}
		seen := map[string]int{}
		for row, err := range x.Search(context.Background(), s) {
			if err != nil {
				t.Fatal(err)
			}
			id := row.Attrs.Text(tag.PatientID)
			seen[id]++
			if seen[id] > 1 {
				t.Errorf("round %d: %s twice in %+v", round, id, s)
			}
			if rng.IntN(3) > 0 {
				continue
			}
			e := past[rng.IntN(old)]
			touched[fmt.Sprint(e.Envelope.PatientID)] = true
			kind := []record.Kind{record.Delete, record.Purge, record.Restore}[rng.IntN(3)]
			a := entry()
			indextest.Commit(t, x, f.About(kind, &e), a)
			touched["new"+a.Envelope.PatientID] = true
		}
		for _, row := range before {
			if id := row.Attrs.Text(tag.PatientID); seen[id] == 0 && !touched[id] {
				t.Errorf("round %d: %s is lost in %+v", round, id, s)
			}
		}
		for id := range seen {
			if touched["new"+id] {
				t.Errorf("round %d: %s is new in %+v", round, id, s)
			}
		}
	}
}
