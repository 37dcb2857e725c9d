package sqlite

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"gantry/internal/archive/index/match"
)

// maxAlternatives bounds what a key may ask of the tables of names, in values and in words;
// beyond it is not narrowed by.
const maxAlternatives = 16

// Bounds of what a search looks up before it begins; what is more, the database finds anew
// for each lot of keys. Tests change them.
var (
	maxWords = 4096 // that meet a word of a key
	maxNames = 4096 // that have it
)

// Bounds of what is said of a name beside each of its words.
const (
	maxBrief      = 64 // bytes
	maxBriefWords = 16
)

// addName stores a folded component group and that a patient has it.
func (b *batch) addName(norm string, patient int64) error {
	var pk int64
	found, err := b.x.row(b.ctx, "SELECT pk FROM name WHERE norm = ?", []any{norm}, &pk)
	if err != nil {
		return err
	}
	if !found {
		if pk, err = b.create("INSERT INTO name (norm) VALUES (?)", norm); err != nil {
			return err
		}
		if err := b.addWords(norm, pk); err != nil {
			return err
		}
	}
	_, err = b.x.exec(b.ctx, "INSERT OR IGNORE INTO patient_name VALUES (?, ?)", pk, patient)
	return err
}

// addWords stores the words of a name, and the name itself beside each of them where it is
// short.
func (b *batch) addWords(norm string, name int64) error {
	words, brief := strings.Fields(norm), norm
	if len(norm) > maxBrief || len(words) > maxBriefWords {
		brief = ""
	}
	for _, w := range words {
		pk, err := b.word(w)
		if err != nil {
			return err
		}
		if _, err := b.x.exec(b.ctx, "INSERT OR IGNORE INTO name_word VALUES (?, ?, ?)", pk, brief, name); err != nil {
			return err
		}
	}
	return nil
}

// word finds or makes a word.
func (b *batch) word(text string) (int64, error) {
	if pk, ok := b.x.cache.words[text]; ok {
		return pk, nil
	}
	var pk int64
	found, err := b.x.row(b.ctx, "SELECT pk FROM word WHERE text = ?", []any{text}, &pk)
	if err != nil {
		return 0, err
	}
	if !found {
		if pk, err = b.create("INSERT INTO word (text) VALUES (?)", text); err != nil {
			return 0, err
		}
		if _, err := b.x.exec(b.ctx, "INSERT INTO word_token (rowid, tokens) VALUES (?, ?)", pk, tokenText(match.Tokens(text))); err != nil {
			return 0, err
		}
	}
	b.x.cache.words[text] = pk
	return pk, nil
}

// tokenText writes tokens as words that FTS5 takes as they are, whatever is in them.
func tokenText(tokens []string) string {
	var b strings.Builder
	for i, t := range tokens {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(hex.EncodeToString([]byte(t)))
	}
	return b.String()
}

// join writes alternatives or requirements of a full-text query.
func join(list []string, op string) string {
	if len(list) == 1 {
		return list[0]
	}
	return "(" + strings.Join(list, op) + ")"
}

func allOf(tokens []string) string { return join(strings.Fields(tokenText(tokens)), " AND ") }

// ftsOf returns the full-text query that finds the words which meet a key.
func ftsOf(w *match.WordKey) string {
	var either []string
	for _, o := range w.Ways {
		either = append(either, overlapOf(o))
	}
	return join(either, " OR ")
}

// overlapOf asks for Need of the tokens. When they are dealt into one heap less than
// Need, two of them are in one heap: FTS5 cannot count, but it can tell that.
func overlapOf(o match.Overlap) string {
	switch {
	case o.Need >= len(o.Tokens):
		return allOf(o.Tokens)
	case o.Need <= 1:
		return join(strings.Fields(tokenText(o.Tokens)), " OR ")
	}
	tokens, heaps := strings.Fields(tokenText(o.Tokens)), o.Need-1
	var either []string
	for i := range tokens {
		var others []string
		for j := i + heaps; j < len(tokens); j += heaps {
			others = append(others, tokens[j])
		}
		if len(others) > 0 {
			either = append(either, "("+tokens[i]+" AND "+join(others, " OR ")+")")
		}
	}
	return join(either, " OR ")
}

// namesOf is what a key says of the patient's name.
type namesOf struct {
	lists [][]string // alternatives; all lists of one select the patient
	args  []any
}

// name narrows by the patient's name.
func (q *query) name(ctx context.Context, x *Index, c *match.Condition) error {
	keys := c.NameKeys()
	if keys == nil || len(keys) > maxAlternatives || !x.namesReady.Load() {
		return nil
	}
	var n namesOf
	for _, groups := range keys {
		var all []string
		for i := range groups {
			list, args, err := nameSQL(ctx, x, &groups[i])
			if err != nil {
				return err
			}
			if list != "" {
				all, n.args = append(all, unseen(list)), append(n.args, args...)
			}
		}
		if len(all) == 0 {
			return nil // this alternative finds everybody
		}
		n.lists = append(n.lists, all)
	}
	q.names, q.wide = n, true
	return nil
}

// sql returns the condition for the column of a patient's key.
func (n *namesOf) sql(column string) string {
	var either []string
	for _, lists := range n.lists {
		either = append(either, column+" IN ("+strings.Join(lists, ") AND "+column+" IN (")+")")
	}
	return "(" + strings.Join(either, " OR ") + ")"
}

const (
	patientsOf   = "SELECT pn.patient FROM name n JOIN patient_name pn ON pn.name = n.pk WHERE %s"
	patientsWith = "SELECT pn.patient FROM patient_name pn WHERE pn.name IN (%s)"
	listed       = "SELECT value FROM json_each(?)"
)

// nameSQL returns what selects the patients that have a group which meets a key, empty for
// all patients.
func nameSQL(ctx context.Context, x *Index, k *match.NameKey) (string, []any, error) {
	prefix, only := match.Prefix(k.Pattern)
	switch {
	case k.Fuzzy():
	case !k.Wild:
		return fmt.Sprintf(patientsOf, "n.norm = ?"), []any{k.Pattern}, nil
	case strings.HasSuffix(prefix, " "): // a whole first component
		return fmt.Sprintf(patientsOf, "n.norm = ? OR n.norm >= ? AND n.norm <= ?"), []any{prefix[:len(prefix)-1], prefix, prefix + "\xff"}, nil
	case prefix != "" && (only || len(prefix) > 2):
		return fmt.Sprintf(patientsOf, "n.norm >= ? AND n.norm <= ?"), []any{prefix, prefix + "\xff"}, nil
	}
	names, args, err := x.namesLike(ctx, k)
	if names == "" || err != nil {
		return "", nil, err
	}
	return fmt.Sprintf(patientsWith, names), args, nil
}
