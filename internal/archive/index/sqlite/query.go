package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gantry/dicom/tag"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/match"
)

// query is SQL under construction.
type query struct {
	conds             // what indexes tell
	late      conds   // what a row is asked for when it is read
	days      conds   // of studies
	names     namesOf // of patients
	wide      bool    // many rows may meet it, which are not in the order of the answer
	few       bool    // a key is asked for that few rows have
	byPatient bool    // columns of the patient are asked for
}

// conds are conditions that must all be met.
type conds struct {
	where []string
	args  []any
}

func (c *conds) add(cond string, args ...any) {
	c.where = append(c.where, unseen(cond))
	c.args = append(c.args, args...)
}

func (c *conds) addAll(o conds) {
	c.where = append(c.where, o.where...)
	c.args = append(c.args, o.args...)
}

func (c *conds) sql() string { return strings.Join(c.where, " AND ") }

// unseen makes subqueries of the values: SQLite looks at plain ones for its plan, and then
// prepares a kept statement again whenever it gets new ones, which takes longer than to run
// it (BenchmarkSearch).
func unseen(sql string) string { return strings.ReplaceAll(sql, "?", "(SELECT ?)") }

const places = `i.record, i.class, i.sop, i.syntax, st.uid, se.uid, p.id, p.issuer, i.ref, i.head, i.size, i.head_crc, i.crc, i.version, i.flags, i.received`

const upwards = ` JOIN series se ON se.pk = i.series JOIN study st ON st.pk = se.study JOIN patient p ON p.pk = st.patient`

// table is what a level's rows are read from.
type table struct {
	alias, columns, from, visible string
}

const (
	patientColumns = `p.studies, p.series, p.instances`
	studyColumns   = patientColumns + `, st.series, st.instances, st.modalities, st.classes`
	seriesColumns  = studyColumns + `, se.instances`
)

func aliasOf(l index.Level) string { return [...]string{"", "p", "st", "se", "i"}[l] }

// tableOf returns the table of a level. A study's patient is left out where nothing of it is
// asked for.
func tableOf(l index.Level, withPatient bool) (table, error) {
	switch {
	case l == index.Patient:
		return table{"p", patientColumns, `patient p`, "p.instances > 0"}, nil
	case l == index.Study && !withPatient:
		return table{"st", strings.Replace(studyColumns, patientColumns, "0, 0, 0", 1), `study st`, "st.instances > 0"}, nil
	case l == index.Study:
		return table{"st", studyColumns, `study st JOIN patient p ON p.pk = st.patient`, "st.instances > 0"}, nil
	case l == index.Series:
		return table{"se", seriesColumns, `series se JOIN study st ON st.pk = se.study JOIN patient p ON p.pk = st.patient`, "se.instances > 0"}, nil
	case l == index.Image:
		return table{"i", seriesColumns + ", se.base, " + places, `instance i` + upwards, visible}, nil
	}
	return table{}, fmt.Errorf("%w: level %d", index.ErrIdentifier, l)
}

// orderOf returns the column that rows are sorted by before their key, ” when none.
func orderOf(s *index.Search) string {
	switch {
	case s.Order == index.ByStudyDate && s.Level >= index.Study:
		return "st.moment"
	case s.Order == index.ByPatientID:
		return "p.id"
	case s.Order == index.ByPatientName:
		return "p.name"
	}
	return "''"
}

// narrow adds what the columns say about a condition: a superset of what matches. The
// columns of a study or series are those of its first instance; rows of the levels below
// answer with their own attributes, so there mixed studies are looked at too.
func (q *query) narrow(ctx context.Context, x *Index, c *match.Condition, level index.Level) error {
	switch c.Tag {
	case tag.PatientID:
		q.byPatient = true
		q.text("p.id", c)
	case tag.AccessionNumber:
		q.ofStudy(level, x, func(q *query) {
			if c.Kind == match.Single || c.Kind == match.Pattern {
				q.add("st.accession <> ''") // as the index says
				q.text("st.accession", c)
			}
		})
	case tag.StudyDate:
		q.ofStudy(level, x, func(q *query) { q.wide = true; q.dates(c) })
	case tag.Modality:
		q.modality(level, x, c)
	case tag.StudyInstanceUID:
		q.list("st.uid", c)
	case tag.SeriesInstanceUID:
		q.list("se.uid", c)
	case tag.SOPInstanceUID: // asked at IMAGE level only, see LevelOf
		q.list("i.sop", c)
	case tag.SOPClassUID:
		q.list("i.class", c)
	case tag.PatientName:
		return q.name(ctx, x, c)
	case tag.ModalitiesInStudy:
		q.member("st.modalities", c)
	case tag.SOPClassesInStudy:
		q.member("st.classes", c)
	default:
		q.byExtra(x, aliasOf(level), c)
	}
	return nil
}

// ofStudy adds conditions on the study's columns.
func (q *query) ofStudy(level index.Level, x *Index, add func(*query)) {
	if level == index.Study {
		add(q)
		return
	}
	if level < index.Study || !x.namesReady.Load() { // Fill finds the mixed ones too
		return
	}
	sub := new(query)
	add(sub)
	sub.addAll(sub.days)
	if len(sub.args) == 0 {
		return
	}
	q.wide = q.wide || sub.wide
	q.addAll(conds{[]string{"st.pk IN (SELECT st.pk FROM study st WHERE " + sub.sql() + " UNION ALL SELECT pk FROM study WHERE mixed)"}, sub.args})
}

func (q *query) modality(level index.Level, x *Index, c *match.Condition) {
	switch {
	case level == index.Series:
		q.text("se.modality", c)
	case level == index.Image && c.Kind == match.Single && len(c.Values) == 1 && len(c.Values[0]) <= 64 && x.namesReady.Load():
		q.add("(st.mixed OR se.modality = ?)", c.Values[0])
	}
}

func (q *query) list(column string, c *match.Condition) {
	if c.Kind == match.Single {
		q.few = q.few || column != "i.class"
		q.add(column+" IN (SELECT value FROM json_each(?))", list(c.Values))
	}
}

// list makes values an argument for json_each.
func list[T ~string](values []T) string {
	b, err := json.Marshal(values)
	if err != nil {
		return "[]" // strings always encode
	}
	return string(b)
}

// text narrows a text column by values or by a pattern's prefix. Long values are clipped in
// the columns.
func (q *query) text(column string, c *match.Condition) {
	if slices.ContainsFunc(c.Values, func(s string) bool { return len(s) > 64 }) {
		return
	}
	switch {
	case c.Kind == match.Single && len(c.Values) == 1:
		q.few = q.few || column != "se.modality"
		q.add(column+" = ?", c.Values[0])
	case c.Kind == match.Single:
		q.list(column, c)
	case c.Kind == match.Pattern && len(c.Values) == 1:
		if prefix, _ := match.Prefix(c.Values[0]); prefix != "" {
			q.wide = true
			q.add(column+" >= ? AND "+column+" <= ?", prefix, prefix+"\xff")
		}
	}
}

// dates narrows by one or several days or spans of them.
func (q *query) dates(c *match.Condition) {
	if c.Kind != match.Any {
		q.days.date(c)
		return
	}
	if len(c.Items) > maxAlternatives {
		return
	}
	var either []string
	var args []any
	for i := range c.Items {
		sub := new(conds)
		if sub.date(&c.Items[i]); len(sub.where) == 0 {
			return
		}
		either, args = append(either, sub.sql()), append(args, sub.args...)
	}
	q.days.addAll(conds{[]string{"(" + strings.Join(either, " OR ") + ")"}, args})
}

// date narrows by the day; a time is left to match.
func (q *conds) date(c *match.Condition) {
	if c.Kind != match.Range && c.Kind != match.Moment {
		return
	}
	from, to := c.From, c.To
	if c.Adjusted() {
		from, to = dayOff(from, -2), dayOff(to, 2)
	}
	if len(from) >= 8 {
		q.add("st.moment >= ?", from[:8])
	}
	if len(to) >= 8 {
		q.add("st.moment < ?", to[:8]+"!") // behind the space that follows the date
	}
}

// dayOff returns the day so many days off, nothing when there is none.
func dayOff(day string, days int) string {
	t, err := time.Parse("20060102", day[:min(len(day), 8)])
	if err != nil || t.Year() < 1 || t.Year() > 9998 {
		return ""
	}
	return t.AddDate(0, 0, days).Format("20060102")
}

func (q *query) member(column string, c *match.Condition) {
	if c.Kind == match.Single && len(c.Values) == 1 {
		q.late.add(`instr('\' || `+column+` || '\', ?) > 0`, `\`+c.Values[0]+`\`)
	}
}
