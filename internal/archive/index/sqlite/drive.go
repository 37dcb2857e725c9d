package sqlite

import (
	"context"
	"strings"

	"gantry/internal/archive/index"
)

// To find the studies of a patient takes as long as to look at some studies of a day.
const (
	mostPatients = 1024 // that are counted
	ofOnePatient = 16
)

var fewPatients = 16 // for which the days are not looked at; tests change it

// drive adds what is said of names and of days. When both are, SQLite is told which index
// to go by, for it cannot know: few patients, or else few studies in those days.
func (q *query) drive(ctx context.Context, x *Index, level index.Level) error {
	patient := "st.patient"
	if level == index.Patient {
		patient = "p.pk"
	}
	days := q.days
	if len(q.names.lists) > 0 && len(days.where) > 0 {
		few, err := q.fewDays(ctx, x)
		if err != nil {
			return err
		}
		if few {
			patient = "+" + patient // which keeps its index from being used
		} else {
			days.where = []string{strings.ReplaceAll(days.sql(), "st.moment", "+st.moment")}
		}
	}
	if len(q.names.lists) > 0 {
		q.addAll(conds{[]string{q.names.sql(patient)}, q.names.args})
	}
	q.addAll(days)
	return nil
}

// fewDays reports whether the days are the better way in.
func (q *query) fewDays(ctx context.Context, x *Index) (bool, error) {
	patients := mostPatients
	if first := q.names.lists; len(first) == 1 && len(first[0]) == 1 {
		var err error
		if patients, err = x.count(ctx, first[0][0], mostPatients, q.names.args...); err != nil || patients < fewPatients {
			return false, err
		}
	}
	studies, err := x.count(ctx, "SELECT 1 FROM study st WHERE "+q.days.sql(), patients*ofOnePatient, q.days.args...)
	return studies < patients*ofOnePatient, err
}
