package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/match"
)

// syllables make names that share their grams as people's do.
var syllables = []string{"an", "ber", "chi", "den", "er", "fal", "gor", "han", "is", "jo", "kel", "lin", "mar", "nov", "os", "pet", "qui", "ros", "sch", "tan",
	"ul", "ver", "wil", "xan", "yam", "zel", "ba", "ce", "du", "el", "fo", "gi", "he", "in", "ka", "lo", "mi", "ne", "ra", "so"}

// nameOf returns the family name and the given name of a patient; each of 64,000 family
// names and 1600 given names comes at random places.
func nameOf(patient int) (family, given string) {
	n := uint64(patient+1) * 0x9E3779B97F4A7C15 >> 20
	s := func(k uint64) string { return syllables[n/k%40] }
	return s(1) + s(40) + s(1600), s(64000) + s(2560000)
}

// studies is how many studies the benchmarks search, one instance each.
func studies() int {
	if n, err := strconv.Atoi(os.Getenv("GANTRY_BENCH_STUDIES")); err == nil && n > 0 {
		return n
	}
	return 20_000
}

func patientName(i int) string {
	family, given := nameOf(i)
	return family + "^" + given
}

func fill(b *testing.B, x *Index, n int) {
	b.Helper()
	var f indextest.Feeder
	var batch []index.Entry
	for i := range n {
		o := indextest.Object{Patient: fmt.Sprint("P", i/2), Name: patientName(i / 2), Study: uid.UID(fmt.Sprint("1.2.", i)),
			Series: uid.UID(fmt.Sprint("1.3.", i)), SOP: uid.UID(fmt.Sprint("1.4.", i)), Modality: "CT", Date: fmt.Sprint(20000101 + i%28 + i/28%12*100),
			Accession: fmt.Sprint("A", i), Class: uid.CTImageStorage}
		if batch = append(batch, f.Entry(b, o)); len(batch) == 500 || i == n-1 {
			indextest.Commit(b, x, batch...)
			batch = batch[:0]
		}
	}
}

// BenchmarkSearch measures searches beside a point query of the same index.
func BenchmarkSearch(b *testing.B) {
	x := open(b, filepath.Join(b.TempDir(), "index.db"))
	n := studies()
	fill(b, x, n)
	ctx := context.Background()
	b.Run("totals", func(b *testing.B) {
		for range b.N {
			if s, err := x.State(ctx); err != nil || s.Studies != int64(n) {
				b.Fatal(s, err)
			}
		}
	})
	b.Run("point", func(b *testing.B) {
		for i := range b.N {
			var pk int64
			if err := x.rdb.QueryRowContext(ctx, "SELECT pk FROM study WHERE uid = ?", fmt.Sprint("1.2.", i%n)).Scan(&pk); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, c := range []struct {
		name  string
		level index.Level
		where func(i int) match.Condition
		order index.Order
		limit int
	}{
		{"study by patient ID", index.Study, func(i int) match.Condition { return match.New(tag.PatientID, vr.LO, fmt.Sprint("P", i%(n/2))) }, 0, 0},
		{"study by name prefix", index.Study, func(i int) match.Condition {
			family, _ := nameOf(i % (n / 2))
			return match.New(tag.PatientName, vr.PN, family+"*")
		}, 0, 10},
		{"study by a part of a name", index.Study, func(i int) match.Condition {
			family, _ := nameOf(i % (n / 2))
			return match.New(tag.PatientName, vr.PN, "*"+family[1:]+"*")
		}, 0, 0},
		{"study by three letters of a name", index.Study, func(i int) match.Condition {
			family, _ := nameOf(i % (n / 2))
			return match.New(tag.PatientName, vr.PN, "*"+family[1:4]+"*")
		}, 0, 10},
		{"study by a fuzzy name", index.Study, func(i int) match.Condition {
			family, given := nameOf(i % (n / 2))
			return match.Fuzzy(match.New(tag.PatientName, vr.PN, family+"^"+given))
		}, 0, 0},
		{"study by a misspelled name", index.Study, func(i int) match.Condition {
			family, given := nameOf(i % (n / 2))
			return match.Fuzzy(match.New(tag.PatientName, vr.PN, family[:2]+family[1:]+"^"+given))
		}, 0, 0},
		{"study by accession", index.Study, func(i int) match.Condition { return match.New(tag.AccessionNumber, vr.SH, fmt.Sprint("A", i%n)) }, 0, 0},
		{"study by UID", index.Study, func(i int) match.Condition {
			return match.New(tag.StudyInstanceUID, vr.UI, fmt.Sprint("1.2.", i%n))
		}, 0, 0},
		{"newest 25 studies", index.Study, func(int) match.Condition { return match.Condition{} }, index.ByStudyDate, 25},
		{"last 25 studies that came", index.Study, func(int) match.Condition { return match.Condition{} }, index.ByCreation, 25},
		{"first of all", index.Study, func(int) match.Condition { return match.Condition{} }, 0, 1},
		{"a day's first 16", index.Study, func(i int) match.Condition { return match.New(tag.StudyDate, vr.DA, fmt.Sprint(20000101+i%28)) }, 0, 16},
		{"series of a study", index.Series, func(i int) match.Condition {
			return match.New(tag.StudyInstanceUID, vr.UI, fmt.Sprint("1.2.", i%n))
		}, 0, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				s := &index.Search{Level: c.level, Where: []match.Condition{c.where(i)}, Order: c.order, Limit: c.limit, Descending: c.order != 0 || c.limit == 25}
				found := 0
				for _, err := range x.Search(ctx, s) {
					if err != nil {
						b.Fatal(err)
					}
					found++
				}
				if found == 0 {
					b.Fatal("no answer")
				}
			}
		})
	}
}

// BenchmarkCommit measures one instance a transaction.
func BenchmarkCommit(b *testing.B) {
	x := open(b, filepath.Join(b.TempDir(), "index.db"))
	var f indextest.Feeder
	entries := make([]index.Entry, b.N)
	for i := range entries {
		o := indextest.Object{Patient: "P", Study: "1.2", Series: "1.3", SOP: uid.UID(fmt.Sprint("1.4.", i)), Modality: "CT", Class: uid.CTImageStorage}
		entries[i] = f.Entry(b, o)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range entries {
		indextest.Commit(b, x, entries[i])
	}
}
