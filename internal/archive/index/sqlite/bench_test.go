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

// studies is how many studies the benchmarks search, one instance each.
func studies() int {
	if n, err := strconv.Atoi(os.Getenv("GANTRY_BENCH_STUDIES")); err == nil && n > 0 {
		return n
	}
	return 20_000
}

func fill(b *testing.B, x *Index, n int) {
	b.Helper()
	var f indextest.Feeder
	var batch []index.Entry
	for i := range n {
		o := indextest.Object{Patient: fmt.Sprint("P", i/2), Name: fmt.Sprintf("Name%d^Given", i/20), Study: uid.UID(fmt.Sprint("1.2.", i)),
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
			return match.New(tag.PatientName, vr.PN, fmt.Sprintf("name%d^*", i%(n/20)))
		}, 0, 10},
		{"study by accession", index.Study, func(i int) match.Condition { return match.New(tag.AccessionNumber, vr.SH, fmt.Sprint("A", i%n)) }, 0, 0},
		{"study by UID", index.Study, func(i int) match.Condition {
			return match.New(tag.StudyInstanceUID, vr.UI, fmt.Sprint("1.2.", i%n))
		}, 0, 0},
		{"newest 25 studies", index.Study, func(int) match.Condition { return match.Condition{} }, index.ByStudyDate, 25},
		{"first of all", index.Study, func(int) match.Condition { return match.Condition{} }, 0, 1},
		{"a day's first 16", index.Study, func(i int) match.Condition { return match.New(tag.StudyDate, vr.DA, fmt.Sprint(20000101+i%28)) }, 0, 16},
		{"series of a study", index.Series, func(i int) match.Condition {
			return match.New(tag.StudyInstanceUID, vr.UI, fmt.Sprint("1.2.", i%n))
		}, 0, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				s := &index.Search{Level: c.level, Where: []match.Condition{c.where(i)}, Order: c.order, Limit: c.limit, Descending: c.order != 0}
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
