package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
	"gantry/internal/archive/index/match"
)

// maxExtra bounds a value in the table of extra attributes, in bytes; what is longer is
// found by its beginning.
const maxExtra = 64

// extras are the attributes that the table extra has.
type extras struct {
	all   []tag.Tag        // written for each instance
	ready map[tag.Tag]bool // complete, so that searches may use it
}

// setExtra makes the attributes of the table those of want.
func (x *Index) setExtra(ctx context.Context, want []tag.Tag) error {
	have := x.extra.Load().all
	return x.transaction(ctx, func() error {
		for _, t := range have {
			if !slices.Contains(want, t) {
				if err := x.dropExtra(ctx, t); err != nil {
					return err
				}
			}
		}
		for _, t := range want {
			if slices.Contains(have, t) {
				continue
			}
			if _, err := x.exec(ctx, "INSERT OR IGNORE INTO extra_tag VALUES (?)", int64(t)); err != nil {
				return err
			}
			if _, err := x.exec(ctx, "INSERT OR REPLACE INTO fill SELECT ?, 0, m FROM (SELECT max(pk) AS m FROM instance) WHERE m > 0", fillKey(t)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *Index) dropExtra(ctx context.Context, t tag.Tag) error {
	for q, arg := range map[string]any{"DELETE FROM extra WHERE tag = ?": int64(t), "DELETE FROM extra_tag WHERE tag = ?": int64(t), "DELETE FROM fill WHERE what = ?": fillKey(t)} {
		if _, err := x.exec(ctx, q, arg); err != nil {
			return err
		}
	}
	return nil
}

func fillKey(t tag.Tag) string { return fmt.Sprintf("%08x", uint32(t)) }

// loadExtra reads which attributes the table has, and what is complete.
func (x *Index) loadExtra(ctx context.Context) error {
	rows, err := x.w.QueryContext(ctx, "SELECT tag, NULL FROM extra_tag UNION ALL SELECT NULL, what FROM fill")
	if err != nil {
		return err
	}
	defer rows.Close()
	e := &extras{ready: map[tag.Tag]bool{}}
	busy := map[string]bool{}
	for rows.Next() {
		var t *int64
		var what *string
		if err := rows.Scan(&t, &what); err != nil {
			return err
		}
		if t != nil {
			e.all = append(e.all, tag.Tag(*t))
		} else {
			busy[*what] = true
		}
	}
	for _, t := range e.all {
		e.ready[t] = !busy[fillKey(t)]
	}
	x.extra.Store(e)
	x.namesReady.Store(!busy[fillNames])
	x.wordsReady.Store(!busy[fillNames] && !busy[fillWords])
	return rows.Err()
}

// addExtras stores the extra attributes of a new instance.
func (b *batch) addExtras(instance int64, ds func() (*dicom.DataSet, error)) error {
	all := b.x.extra.Load().all
	if len(all) == 0 {
		return nil
	}
	set, err := ds()
	if err != nil {
		return err
	}
	for _, t := range all {
		if err := b.addExtra(instance, set, t); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) addExtra(instance int64, ds *dicom.DataSet, t tag.Tag) error {
	e, ok := ds.Get(t)
	if !ok || e.Empty() || e.IsSequence() {
		return nil
	}
	for _, s := range e.Texts() {
		for _, v := range extraValues(dict.VROf(t), s) {
			if _, err := b.x.exec(b.ctx, "INSERT OR IGNORE INTO extra VALUES (?, ?, ?)", int64(t), v, instance); err != nil {
				return err
			}
		}
	}
	return nil
}

// extraValues returns what a value is found by: values that are equal to match are so here.
func extraValues(v vr.VR, s string) []string {
	switch v {
	case vr.PN:
		var out []string
		for _, g := range match.FoldName(s) {
			if g != "" {
				out = append(out, clipExtra(g))
			}
		}
		return out
	case vr.IS, vr.DS, vr.US, vr.SS, vr.UL, vr.SL, vr.UV, vr.SV, vr.FL, vr.FD:
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return []string{strconv.FormatFloat(f+0, 'g', -1, 64)} // +0 makes 0 of -0
		}
	case vr.DA:
		s = strings.ReplaceAll(strings.TrimSpace(s), ".", "")
	}
	return []string{clipExtra(s)}
}

func clipExtra(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxExtra)], "\uFFFD")
}

// roots are the ways from the instance of an extra attribute to a row of each level: the
// row's own attributes are those of one of its instances.
var roots = map[string]string{
	"i":  "i.pk IN (SELECT e.instance FROM extra e WHERE %s)",
	"se": "se.pk IN (SELECT n.series FROM extra e JOIN instance n ON n.pk = e.instance WHERE %s)",
	"st": "st.pk IN (SELECT s.study FROM extra e JOIN instance n ON n.pk = e.instance JOIN series s ON s.pk = n.series WHERE %s)",
	"p":  "p.pk IN (SELECT t.patient FROM extra e JOIN instance n ON n.pk = e.instance JOIN series s ON s.pk = n.series JOIN study t ON t.pk = s.study WHERE %s)",
}

// byExtra narrows by the table of extra attributes.
func (q *query) byExtra(x *Index, alias string, c *match.Condition) {
	if !x.extra.Load().ready[c.Tag] || c.VR != dict.VROf(c.Tag) {
		return
	}
	cond, args := extraSQL(c)
	if cond != "" {
		q.add(fmt.Sprintf(roots[alias], "e.tag = ? AND "+cond), append([]any{int64(c.Tag)}, args...)...)
	}
}

func extraSQL(c *match.Condition) (string, []any) {
	switch {
	case c.VR == vr.PN:
		return extraName(c)
	case c.Kind == match.Single && c.VR != vr.TM && c.VR != vr.DT && c.VR != vr.DA:
		var all []string
		for _, s := range c.Values {
			all = append(all, extraValues(c.VR, s)...)
		}
		return "e.value IN (SELECT value FROM json_each(?))", []any{list(all)}
	case c.Kind == match.Pattern && len(c.Values) == 1:
		if prefix, _ := match.Prefix(c.Values[0]); prefix != "" && len(prefix) < maxExtra {
			return "e.value >= ? AND e.value <= ?", []any{prefix, prefix + "\xff"}
		}
	case c.Kind == match.Range && c.VR == vr.DA:
		return "e.value >= ? AND e.value <= ?", []any{c.From, orElse(c.To, "9")}
	}
	return "", nil
}

// extraName narrows by a name of one alternative, which is not fuzzy.
func extraName(c *match.Condition) (string, []any) {
	keys := c.NameKeys()
	if len(keys) != 1 || keys[0][0].Fuzzy() {
		return "", nil
	}
	k := keys[0][0]
	prefix, _ := match.Prefix(k.Pattern)
	switch {
	case !k.Wild:
		return "e.value = ?", []any{clipExtra(k.Pattern)}
	case strings.TrimRight(prefix, " ") != "" && len(prefix) < maxExtra:
		return "e.value >= ? AND e.value <= ?", []any{strings.TrimRight(prefix, " "), strings.TrimRight(prefix, " ") + "\xff"}
	}
	return "", nil
}

func orElse(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
