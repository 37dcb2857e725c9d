// Package label keeps words that people put on studies. They are facts of the archive's log,
// so that they outlive the index.
package label

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"gantry/dicom/uid"
	"gantry/internal/archive/record"
)

// kind is that of the facts.
const kind = "label"

// Bounds.
const (
	maxLength = 64 // bytes of a label
	maxLabels = 64 // of a study
)

// Errors of Change.
var (
	ErrStudy = errors.New("no such study")
	ErrLabel = errors.New("a label has 1 to 64 letters, digits, '-', '_' or '.'")
	ErrMany  = fmt.Errorf("a study has at most %d labels", maxLabels)
)

// Noter makes facts durable.
type Noter interface {
	Note(context.Context, record.Fact) error
}

// Index is the part of an index that is needed.
type Index interface {
	Facts(ctx context.Context, kind, from string, n int) ([]record.Fact, error)
	StudySize(ctx context.Context, study uid.UID) (series, instances int64, err error)
}

// Labels reads and changes them. It is safe for concurrent use.
type Labels struct {
	In    Noter
	Index Index
	mu    sync.Mutex
}

// Study is a study and its labels, in their order.
type Study struct {
	UID    uid.UID  `json:"studyInstanceUID"`
	Labels []string `json:"labels"`
}

// Change adds labels to a study, takes others off, and returns what it has then. Nothing is
// written when nothing changes.
func (l *Labels) Change(ctx context.Context, study uid.UID, add, remove []string) (Study, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := Study{UID: study}
	for _, s := range slices.Concat(add, remove) {
		if !valid(s) {
			return st, fmt.Errorf("%w: %.80q", ErrLabel, s)
		}
	}
	if _, n, err := l.Index.StudySize(ctx, study); err != nil || n == 0 {
		return st, errors.Join(err, ErrStudy)
	}
	have, err := l.of(ctx, study)
	if err != nil {
		return st, err
	}
	st.Labels = slices.Concat(have, add)
	slices.Sort(st.Labels)
	st.Labels = slices.DeleteFunc(slices.Compact(st.Labels), func(s string) bool { return slices.Contains(remove, s) })
	if len(st.Labels) > maxLabels {
		return st, ErrMany
	}
	if slices.Equal(st.Labels, have) {
		return st, nil
	}
	return st, l.In.Note(ctx, fact(&st))
}

func fact(st *Study) record.Fact {
	f := record.Fact{Kind: kind, Subject: string(st.UID)}
	if len(st.Labels) > 0 {
		f.Value, _ = json.Marshal(st.Labels) // strings: it cannot fail
	}
	return f
}

func valid(s string) bool {
	return s != "" && len(s) <= maxLength && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	}) < 0
}

func (l *Labels) of(ctx context.Context, study uid.UID) ([]string, error) {
	facts, err := l.Index.Facts(ctx, kind, string(study), 1)
	if err != nil || len(facts) == 0 || facts[0].Subject != string(study) {
		return nil, err
	}
	return labelsOf(&facts[0])
}

func labelsOf(f *record.Fact) (out []string, err error) {
	if err := json.Unmarshal(f.Value, &out); err != nil {
		return nil, fmt.Errorf("labels of %s: %w", f.Subject, err)
	}
	return out, nil
}

const perPage = 500

// List returns studies that have a label, any one when it is empty, by UID and at most limit.
func (l *Labels) List(ctx context.Context, label string, limit int) ([]Study, error) {
	var out []Study
	for from := ""; ; {
		page, err := l.Index.Facts(ctx, kind, from, perPage)
		if err != nil {
			return nil, err
		}
		for i := range page {
			labels, err := labelsOf(&page[i])
			if err != nil {
				return nil, err
			}
			if label == "" || slices.Contains(labels, label) {
				out = append(out, Study{uid.UID(page[i].Subject), labels})
			}
			if len(out) == limit {
				return out, nil
			}
		}
		if len(page) < perPage {
			return out, nil
		}
		from = page[len(page)-1].Subject + "\x00"
	}
}
