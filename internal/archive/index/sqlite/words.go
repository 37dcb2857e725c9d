package sqlite

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"gantry/internal/archive/index/match"
)

// Names are found by their words: there are far fewer of them, and most names share theirs
// with others. What a key asks of a word is looked up among the words; the names that have
// one of them are then looked at.

// wordSet is what is found for a word of a key.
type wordSet struct {
	fts string
	pks string // in JSON; empty when they are too many
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
	set := &wordSet{fts: ftsOf(k)}
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
		pks = append(pks, pk)
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
	slices.SortStableFunc(words, func(a, b match.WordKey) int { return cmp.Compare(tokensOf(&b), tokensOf(&a)) })
	var all []string
	var args []any
	for i := range words {
		set, err := x.wordsLike(ctx, &words[i])
		if err != nil {
			return "", nil, err
		}
		pks, err := x.namesWith(ctx, k, words, set)
		if err != nil {
			return "", nil, err
		}
		if pks != "" {
			return listed, []any{pks}, nil
		}
		list, arg := set.sql()
		all, args = append(all, "SELECT name "+strings.Replace(namesOfWords, "%", list, 1)), append(args, arg, k.Literal())
	}
	return strings.Join(all, " INTERSECT "), args, nil
}

// tokensOf is of how many tokens a word is: long words are rare ones, as a rule.
func tokensOf(w *match.WordKey) int { return len(w.Ways[len(w.Ways)-1].Tokens) }

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
// list in JSON; empty when too many have one.
func (x *Index) namesWith(ctx context.Context, k *match.NameKey, words []match.WordKey, set *wordSet) (string, error) {
	list, arg := set.sql()
	rows, err := x.query(ctx, unseen("SELECT name, norm "+strings.Replace(namesOfWords, "%", list, 1)), arg, k.Literal())
	if err != nil {
		return "", err
	}
	defer rows.Close()
	meets := decider(k, words)
	pks := []byte{'['}
	for n := 0; rows.Next(); n++ {
		var pk int64
		var norm string
		if err := rows.Scan(&pk, &norm); err != nil || n == maxNames {
			return "", err
		}
		if norm != "" && !meets(norm) {
			continue
		}
		if len(pks) > 1 {
			pks = append(pks, ',')
		}
		pks = strconv.AppendInt(pks, pk, 10)
	}
	return string(append(pks, ']')), rows.Err()
}

// decider returns what decides whether a name meets a key. To be near takes long, and the
// words of names are few: it is remembered for each word.
func decider(k *match.NameKey, words []match.WordKey) func(norm string) bool {
	if !k.Fuzzy() {
		return k.Match
	}
	known := make([]map[string]bool, len(words))
	for i := range words {
		known[i] = map[string]bool{}
	}
	meets := func(i int, word string) bool {
		is, ok := known[i][word]
		if !ok {
			if is = words[i].Match(word); len(known[i]) < maxWords {
				known[i][word] = is
			}
		}
		return is
	}
	return func(norm string) bool {
		for i := range words {
			found := false
			for w := range strings.FieldsSeq(norm) {
				if found = meets(i, w); found {
					break
				}
			}
			if !found {
				return false
			}
		}
		return true
	}
}
