package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/index/memory"
)

// set changes a bound for one test.
func set[T any](t *testing.T, v *T, to T) {
	before := *v
	*v = to
	t.Cleanup(func() { *v = before })
}

// TestBoundsOfSearches: with few words and names looked up beforehand, and by days wherever
// they are asked for, the answers are the same.
func TestBoundsOfSearches(t *testing.T) {
	set(t, &fewPatients, 0)
	rng := rand.New(rand.NewPCG(8, 1))
	x, y := open(t, filepath.Join(t.TempDir(), "index.db")), new(memory.Index)
	indextest.Both(t, rng, x, y, func() {})
	for _, n := range []int{0, 1, 5} {
		set(t, &maxWords, n)
		for _, n := range []int{0, 2} {
			set(t, &maxNames, n)
			indextest.SameAnswers(t, rng, x, y, 200)
		}
	}
}

// TestFromSchema9: an index without words has them made of its names, and finds names as
// before meanwhile.
func TestFromSchema9(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	name := filepath.Join(t.TempDir(), "index.db")
	x, y := open(t, name), new(memory.Index)
	indextest.Both(t, rng, x, y, func() {})
	ctx := context.Background()
	for _, q := range []string{"DROP TABLE word", "DROP TABLE word_token", "DROP TABLE name_word", "CREATE TABLE name_token (tokens)", "PRAGMA user_version = 9",
		"INSERT INTO name (norm) SELECT 'filler ' || value FROM generate_series(1, 300)"} {
		q = strings.Replace(q, "generate_series(1, 300)", "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 300) SELECT value FROM n)", 1)
		if _, err := x.w.ExecContext(ctx, q); err != nil {
			t.Fatal(q, err)
		}
	}
	x.Close()
	x = open(t, name)
	for range 2 {
		if x.wordsReady.Load() || !x.namesReady.Load() {
			t.Fatal("words that are not there yet")
		}
		indextest.SameAnswers(t, rng, x, y, 100)
		if more, err := x.fillSome(ctx); err != nil || !more {
			t.Fatal(more, err)
		}
		x.Close()
		x = open(t, name)
	}
	if err := x.Fill(ctx); err != nil || !x.wordsReady.Load() {
		t.Fatal(err)
	}
	indextest.SameAnswers(t, rng, x, y, 300)
	if pks, n := namesFor(t, x, "*iller 29*"); n != 11 {
		t.Error(pks)
	}
}

// namesFor returns the names that a key is narrowed to.
func namesFor(t *testing.T, x *Index, key string) (string, int) {
	t.Helper()
	c := match.New(tag.PatientName, vr.PN, key)
	_, args, err := x.namesLike(context.Background(), &c.NameKeys()[0][0])
	if err != nil || len(args) != 1 {
		t.Fatal(args, err)
	}
	pks := args[0].(string)
	return pks, len(strings.Split(pks, ","))
}

// TestLongNamesAreFound: a name of many words, and one of a long word, are kept short beside
// their words and found by each.
func TestLongNamesAreFound(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	var f indextest.Feeder
	many := strings.Repeat("a^", 5)
	for i := range 400 {
		many += fmt.Sprintf("w%d ", i)
	}
	for i, n := range []string{many, "Short^" + strings.Repeat("x", 900), "Short^Name"} {
		indextest.Commit(t, x, f.Entry(t, indextest.Object{Patient: fmt.Sprint("P", i), Name: n, Study: uid.UID(fmt.Sprint("1.1.", i)),
			Series: uid.UID(fmt.Sprint("1.2.", i)), SOP: uid.UID(fmt.Sprint("1.3.", i)), Class: uid.CTImageStorage}))
	}
	var bytes int
	if err := x.w.QueryRowContext(context.Background(), "SELECT sum(length(norm)) FROM name_word").Scan(&bytes); err != nil || bytes != 2*len("short name") {
		t.Error(bytes, err)
	}
	for key, want := range map[string]int{"*w399*": 1, "*short xxx*": 1, "*hort*": 2, "*w39? *": 1, "*xxxxxx": 1, "*ame": 1} {
		s := &index.Search{Level: index.Study, Where: []match.Condition{match.New(tag.PatientName, vr.PN, key)}}
		if got := indextest.Find(t, x, s); len(got) != want {
			t.Errorf("%s: %d, want %d", key, len(got), want)
		}
	}
}

// TestPatientIsReadWhenAsked: studies have the counts of their patient when a key wants them,
// and answer the same without.
func TestPatientIsReadWhenAsked(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	var f indextest.Feeder
	for i := range 3 {
		indextest.Commit(t, x, f.Entry(t, indextest.Object{Patient: "P", Name: "Doe^J", Study: uid.UID(fmt.Sprint("1.1.", i)), Date: "20200101",
			Series: uid.UID(fmt.Sprint("1.2.", i)), SOP: uid.UID(fmt.Sprint("1.3.", i)), Class: uid.CTImageStorage}))
	}
	patient := []tag.Tag{tag.NumberOfPatientRelatedStudies}
	for _, where := range []match.Condition{match.New(tag.PatientName, vr.PN, "doe*"), match.New(tag.StudyDate, vr.DA, "20200101"), match.New(tag.PatientID, vr.LO, "P"),
		match.New(tag.StudyInstanceUID, vr.UI, "1.1.0", "1.1.1", "1.1.2"), match.New(tag.NumberOfPatientRelatedStudies, vr.IS, "3")} {
		counted := where.Tag == tag.PatientID || where.Tag == patient[0]
		for _, c := range []struct {
			keys []tag.Tag
			want int64
		}{{nil, 3}, {patient, 3}, {[]tag.Tag{tag.StudyInstanceUID}, 0}} {
			rows := indextest.Find(t, x, &index.Search{Level: index.Study, Where: []match.Condition{where}, Return: c.keys})
			if len(rows) != 3 || rows[0].Counts.PatientStudies != c.want && !counted || rows[0].Counts.StudyInstances != 1 {
				t.Errorf("%v, keys %v: %d rows, %+v", where.Tag, c.keys, len(rows), rows[0].Counts)
			}
		}
	}
}
