package label

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"gantry/dicom/uid"
	"gantry/internal/archive/record"
)

// facts is a log and an index of them.
type facts struct {
	mu    sync.Mutex
	m     map[string]record.Fact
	notes int
}

func (f *facts) Note(_ context.Context, fact record.Fact) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes++
	f.m[fact.Subject] = fact
	if len(fact.Value) == 0 {
		delete(f.m, fact.Subject)
	}
	return nil
}

func (f *facts) Facts(_ context.Context, _, from string, n int) (out []record.Fact, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s, fact := range f.m {
		if s >= from {
			out = append(out, fact)
		}
	}
	slices.SortFunc(out, func(a, b record.Fact) int { return strings.Compare(a.Subject, b.Subject) })
	return out[:min(n, len(out))], nil
}

func (f *facts) StudySize(_ context.Context, study uid.UID) (int64, int64, error) {
	if strings.HasPrefix(string(study), "1.") {
		return 1, 1, nil
	}
	return 0, 0, nil
}

func TestChange(t *testing.T) {
	ctx := context.Background()
	f := &facts{m: map[string]record.Fact{}}
	l := &Labels{In: f, Index: f}
	for _, c := range []struct {
		study       uid.UID
		add, remove string
		want        string
		notes       int
		err         error
	}{
		{"1.1", "b a b", "", "a b", 1, nil},
		{"1.1", "a", "x", "a b", 1, nil},
		{"1.1", "c", "a", "b c", 2, nil},
		{"1.1", "", "b c", "", 3, nil},
		{"2.1", "a", "", "", 3, ErrStudy},
		{"1.1", "a/b", "", "", 3, ErrLabel},
		{"1.1", strings.Repeat("x", 65), "", "", 3, ErrLabel},
		{"1.1", strings.TrimSpace(fmt.Sprintln(numbers(65)...)), "", "", 3, ErrMany},
	} {
		got, err := l.Change(ctx, c.study, strings.Fields(c.add), strings.Fields(c.remove))
		if !errors.Is(err, c.err) || err == nil && strings.Join(got.Labels, " ") != c.want || f.notes != c.notes {
			t.Errorf("%+v: %v, %v, %d notes", c, got, err, f.notes)
		}
	}
	if len(f.m) != 0 {
		t.Errorf("left: %v", f.m)
	}
}

func numbers(n int) (out []any) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// TestTogether changes one study from many sides: no label is lost.
func TestTogether(t *testing.T) {
	f := &facts{m: map[string]record.Fact{}}
	l := &Labels{In: f, Index: f}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if _, err := l.Change(context.Background(), "1.1", []string{fmt.Sprint(i)}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := l.List(context.Background(), "", 10); err != nil || len(got) != 1 || len(got[0].Labels) != 40 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestList(t *testing.T) {
	f := &facts{m: map[string]record.Fact{}}
	l := &Labels{In: f, Index: f}
	for i := range 2*perPage + 7 {
		add := []string{"all"}
		if i%100 == 0 {
			add = append(add, "some")
		}
		if _, err := l.Change(context.Background(), uid.UID(fmt.Sprintf("1.%04d", i)), add, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		label string
		limit int
		want  int
	}{{"", 5000, 2*perPage + 7}, {"all", 3, 3}, {"some", 5000, 11}, {"none", 5000, 0}} {
		if got, err := l.List(context.Background(), c.label, c.limit); err != nil || len(got) != c.want {
			t.Errorf("%+v: %d, %v", c, len(got), err)
		}
	}
}
