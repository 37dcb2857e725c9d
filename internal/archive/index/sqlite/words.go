package sqlite

import (
	"context"
	"strings"

	"gantry/internal/archive/index/match"
)

// Names are found by their words: there are far fewer of them, and most names share theirs
// with others. What a key asks of a word is looked up among the words; the names that have
// one of the rarest are then looked at.

// wordSet is what is found for a word of a key.
type wordSet struct {
	fts   string
	texts map[string]bool
	pks   string // in JSON; empty when they are too many
}

// sql returns what selects the keys of the words.
func (w *wordSet) sql() (string, any) {
	if w.pks == "" {
		return "SELECT rowid FROM word_token WHERE word_token MATCH ?", w.fts
	}
	return listed, w.pks
}

// wordsLike finds the words that meet a key.
func (x *Index) wordsLike(ctx context.Context, k *match.WordKey) (*wordSet, error) {
	set := &wordSet{fts: ftsOf(k), texts: map[string]bool{}}
	rows, err := x.query(ctx, "SELECT w.pk, w.text FROM word_token JOIN word w ON w.pk = word_token.rowid WHERE word_token MATCH ?", set.fts)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var pks []string
	for rows.Next() {
		var pk, text string
		if err := rows.Scan(&pk, &text); err != nil {
			return nil, err
		}
		if !k.Match(text) {
			continue
		}
		if len(pks) == maxWords {
			return set, nil
		}
		pks, set.texts[text] = append(pks, pk), true
	}
	set.pks = "[" + strings.Join(pks, ",") + "]"
	return set, rows.Err()
}

const namesOfWords = "FROM name_word WHERE word IN (%) AND (norm = '' OR instr(norm, ?) > 0)"

// namesLike returns what selects the names that meet a key, or more of them when those are
// many; empty when no word tells of them.
func (x *Index) namesLike(ctx context.Context, k *match.NameKey) (string, []any, error) {
	words := k.Words()
	if len(words) == 0 || len(words) > maxAlternatives || !x.wordsReady.Load() {
		return "", nil, nil
	}
	sets := make([]*wordSet, len(words))
	for i := range words {
		var err error
		if sets[i], err = x.wordsLike(ctx, &words[i]); err != nil {
			return "", nil, err
		}
	}
	rare, err := x.rarest(ctx, sets)
	if err != nil {
		return "", nil, err
	}
	pks, err := x.namesWith(ctx, k, rare, sets)
	if err != nil {
		return "", nil, err
	}
	if pks != "" {
		return listed, []any{pks}, nil
	}
	var all []string
	var args []any
	for _, set := range sets {
		list, arg := set.sql()
		all, args = append(all, "SELECT name "+strings.Replace(namesOfWords, "%", list, 1)), append(args, arg, k.Literal())
	}
	return strings.Join(all, " INTERSECT "), args, nil
}

// rarest returns the words that the fewest names have.
func (x *Index) rarest(ctx context.Context, sets []*wordSet) (*wordSet, error) {
	for few := 64; len(sets) > 1 && few < maxNames*8; few *= 8 {
		for _, set := range sets {
			list, arg := set.sql()
			n, err := x.count(ctx, "SELECT 1 FROM name_word WHERE word IN ("+list+")", few, arg)
			if n < few || err != nil {
				return set, err
			}
		}
	}
	return sets[0], nil
}

// count returns how many rows there are, at most most.
func (x *Index) count(ctx context.Context, q string, most int, args ...any) (n int, err error) {
	rows, err := x.query(ctx, unseen("SELECT count(*) FROM ("+q+" LIMIT ?)"), append(args, most)...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

// namesWith returns the keys of the names that have a word of a set and meet the key, as a
// list in JSON; empty when there are too many of them.
func (x *Index) namesWith(ctx context.Context, k *match.NameKey, one *wordSet, all []*wordSet) (string, error) {
	list, arg := one.sql()
	rows, err := x.query(ctx, unseen("SELECT name, norm "+strings.Replace(namesOfWords, "%", list, 1)), arg, k.Literal())
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
		if norm != "" && !mayMeet(k, norm, one, all) {
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

// mayMeet decides for a pattern; for a fuzzy key it asks for a word of each set.
func mayMeet(k *match.NameKey, norm string, one *wordSet, all []*wordSet) bool {
	if !k.Fuzzy() {
		return k.Match(norm)
	}
	for _, set := range all {
		if set != one && set.pks != "" && !hasWord(norm, set.texts) {
			return false
		}
	}
	return true
}

func hasWord(norm string, texts map[string]bool) bool {
	for w := range strings.FieldsSeq(norm) {
		if texts[w] {
			return true
		}
	}
	return false
}
