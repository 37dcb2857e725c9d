package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/match"
)

// manyStudies makes n studies of one patient, the first of them with a modality of its own,
// without instances.
func manyStudies(t *testing.T, x *Index, n int) {
	t.Helper()
	for _, q := range []string{"INSERT INTO patient (pk, id, issuer, born, instances) VALUES (1, 'P', '', 1, 1)",
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO study (pk, patient, uid, born, instances, moment, modalities, attrs) SELECT i, 1, '1.2.' || i, 1, 1, '20200101 ', iif(i = 1, 'PT', 'CT'), x'00' FROM n`} {
		args := []any{n}
		if q[0] == 'I' {
			args = nil
		}
		if _, err := x.w.ExecContext(context.Background(), q, args...); err != nil {
			t.Fatal(err)
		}
	}
	x.feed.Store(1)
}

// TestPageStops: a search that looks at many rows for a few stops inside a page when its
// context ends.
func TestPageStops(t *testing.T) {
	x := open(t, filepath.Join(t.TempDir(), "index.db"))
	manyStudies(t, x, 300_000)
	pet := match.New(tag.ModalitiesInStudy, vr.CS, "PT")
	for name, s := range map[string]*index.Search{
		"rows":   {Level: index.Study, Where: []match.Condition{pet}},
		"latest": {Level: index.Study, Where: []match.Condition{pet}, Order: index.ByStudyDate},
	} {
		t.Run(name, func(t *testing.T) {
			whole, err := timeOf(x, s, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			for range 10 { // the machine may have been busy elsewhere
				took, err := timeOf(x, s, whole/10)
				if errors.Is(err, context.DeadlineExceeded) && took < whole/2 {
					return
				}
			}
			t.Errorf("goes on to the end of the page, which takes %s", whole)
		})
	}
}

// timeOf is how long a search takes to its first page.
func timeOf(x *Index, s *index.Search, most time.Duration) (time.Duration, error) {
	ctx, stop := context.WithTimeout(context.Background(), most)
	defer stop()
	begun := time.Now()
	for _, err := range x.Search(ctx, s) {
		return time.Since(begun), err
	}
	return time.Since(begun), nil
}
