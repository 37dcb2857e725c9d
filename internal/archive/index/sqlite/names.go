package sqlite

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"gantry/internal/archive/index/match"
)

// maxNames is how many names a search looks up before it begins: with more the database
// finds them anew for each page.
const maxNames = 500

// Bounds of what a key may ask of the tables of names; beyond it is not narrowed by.
const (
	maxAlternatives = 16
	maxTokens       = 64
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
		if _, err := b.x.exec(b.ctx, "INSERT INTO name_token (rowid, tokens) VALUES (?, ?)", pk, tokenText(match.Tokens(norm))); err != nil {
			return err
		}
	}
	_, err = b.x.exec(b.ctx, "INSERT OR IGNORE INTO patient_name VALUES (?, ?)", pk, patient)
	return err
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

// ftsOf returns the full-text query that finds the groups of a key; empty when tokens
// cannot find them.
func ftsOf(k *match.NameKey) string {
	if !k.Fuzzy() {
		if g := match.PatternGrams(k.Pattern); len(g) > 0 {
			return allOf(g[:min(len(g), maxTokens)])
		}
		return ""
	}
	var words []string
	for _, ways := range k.Near() {
		var either []string
		for _, w := range ways {
			either = append(either, overlapOf(w))
		}
		words = append(words, join(either, " OR "))
	}
	if len(words) == 0 {
		return ""
	}
	return join(words, " AND ")
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

// name narrows by the patient's name.
func (q *query) name(ctx context.Context, x *Index, c *match.Condition) error {
	keys := c.NameKeys()
	if keys == nil || len(keys) > maxAlternatives || !x.namesReady.Load() {
		return nil
	}
	var either []string
	var args []any
	for _, groups := range keys {
		var all []string
		for i := range groups {
			cond, a, err := q.nameSQL(ctx, x, &groups[i])
			if err != nil {
				return err
			}
			if cond != "" {
				all, args = append(all, cond), append(args, a...)
			}
		}
		if len(all) == 0 {
			return nil // this alternative finds everybody
		}
		either = append(either, strings.Join(all, " AND "))
	}
	q.add("("+strings.Join(either, " OR ")+")", args...)
	return nil
}

const (
	hasName   = "p.pk IN (SELECT pn.patient FROM name n JOIN patient_name pn ON pn.name = n.pk WHERE %s)"
	hasNameOf = "p.pk IN (SELECT pn.patient FROM patient_name pn WHERE pn.name IN (%s))"
	byTokens  = "SELECT rowid FROM name_token WHERE name_token MATCH ?"
)

// nameSQL returns the condition for patients that have a group which meets a key, empty
// for all patients.
func (q *query) nameSQL(ctx context.Context, x *Index, k *match.NameKey) (string, []any, error) {
	prefix, only := match.Prefix(k.Pattern)
	switch {
	case k.Fuzzy():
	case !k.Wild:
		return fmt.Sprintf(hasName, "n.norm = ?"), []any{k.Pattern}, nil
	case strings.HasSuffix(prefix, " "): // a whole first component
		return fmt.Sprintf(hasName, "n.norm = ? OR n.norm >= ? AND n.norm <= ?"), []any{prefix[:len(prefix)-1], prefix, prefix + "\xff"}, nil
	case prefix != "" && (only || len(prefix) > 2):
		return fmt.Sprintf(hasName, "n.norm >= ? AND n.norm <= ?"), []any{prefix, prefix + "\xff"}, nil
	}
	q.wide = true
	fts := ftsOf(k)
	if fts == "" {
		return "", nil, nil
	}
	pks, err := x.namesLike(ctx, k, fts)
	if err != nil {
		return "", nil, err
	}
	if pks == "" {
		return fmt.Sprintf(hasNameOf, byTokens), []any{fts}, nil
	}
	return fmt.Sprintf(hasNameOf, "SELECT value FROM json_each(?)"), []any{pks}, nil
}

// namesLike returns the keys of the names that meet a key, as a list in JSON; empty when
// there are too many of them.
func (x *Index) namesLike(ctx context.Context, k *match.NameKey, fts string) (string, error) {
	rows, err := x.query(ctx, "SELECT n.pk, n.norm FROM name_token JOIN name n ON n.pk = name_token.rowid WHERE name_token MATCH ?", fts)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	pks := []byte{'['}
	for n := 0; rows.Next(); {
		var pk, norm string
		if err := rows.Scan(&pk, &norm); err != nil {
			return "", err
		}
		if !k.Match(norm) {
			continue
		}
		if n++; n > maxNames {
			return "", nil
		}
		if n > 1 {
			pks = append(pks, ',')
		}
		pks = append(pks, pk...)
	}
	return string(append(pks, ']')), rows.Err()
}
