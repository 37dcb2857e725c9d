package match

import (
	"slices"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

func TestGrams(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "doe": " do|doe", "doe j": " do| j|doe", "li o": " li| o", "山田 太郎": "太|太郎|山|山田|田|郎", "김희중": "김|김희|중|희|희중",
		"a山b": "山", "やま": "ま|や|やま",
	} {
		if got := strings.Join(Grams(in), "|"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"*mid*": "mid", "*mi*": "", "doe*": " do|doe", "doe j*": " do|doe", "*oe jo*": " jo", "*oe j": " j", "d?e": "", "*田*": "田", "* x *": " x", "*x ": "", "": "",
	} {
		var grams []string
		for _, w := range wordsOfPattern(in) {
			grams = append(grams, w.Ways[0].Tokens...)
		}
		slices.Sort(grams)
		if got := strings.Join(slices.Compact(grams), "|"); got != want {
			t.Errorf("pattern %q: %q, want %q", in, got, want)
		}
	}
}

func TestSound(t *testing.T) {
	for _, alike := range [][2]string{{"meyer", "maier"}, {"philipp", "filip"}, {"schmidt", "schmitt"}, {"catherine", "katharina"}, {"stephen", "stefan"}, {"knight", "night"}} {
		if a, b := Sound(alike[0]), Sound(alike[1]); a != b || a == "" {
			t.Errorf("%v: %s, %s", alike, a, b)
		}
	}
	for _, other := range [][2]string{{"meyer", "meister"}, {"smith", "jones"}, {"anna", "hanna"}} {
		if a, b := Sound(other[0]), Sound(other[1]); a == b {
			t.Errorf("%v: %s", other, a)
		}
	}
	for _, none := range []string{"", "山田", "иван", "1", "a山"} {
		if s := Sound(none); s != "" {
			t.Errorf("%q: %s", none, s)
		}
	}
}

func TestFuzzy(t *testing.T) {
	for _, c := range []struct {
		key, name string
		want      bool
	}{
		{"Mayr^Fillip", "Meyer^Philipp", true}, {"Philipp^Meyer", "Meyer^Philipp", true}, {"Johanson", "Johansson^Anna", true}, {"Andeson", "Anderson", true},
		{"Smith", "Jones^Mary", false}, {"Meyer^Jane", "Meyer^Philipp", false}, {"Meye*", "Meyers^X", true}, {"*yer", "Maier", false}, {"*yer", "Meyer", true},
		{"山田", "Yamada^T=山田^太郎", true}, {"山本", "Yamada^T=山田^太郎", false}, {"Li", "Lindemann", false}, {"", "x", true}, {"Müler", "MUELLER", true},
	} {
		k := Fuzzy(New(tag.PatientName, vr.PN, c.key))
		if got := k.MatchText(c.name); got != c.want {
			t.Errorf("%q on %q: %v", c.key, c.name, got)
		}
	}
}

// found reports whether an index finds a group by what a key tells of it.
func found(k *NameKey, group string) bool {
	if prefix, _ := Prefix(k.Pattern); !k.Fuzzy() && (!k.Wild || !strings.HasPrefix(group, prefix) && group+" " != prefix) {
		return !k.Wild
	}
	for _, w := range k.Words() {
		if !slices.ContainsFunc(strings.Fields(group), func(h string) bool { return w.Match(h) && hasTokens(h, w.Ways) }) {
			return false
		}
	}
	return strings.Contains(group, k.Literal())
}

func hasTokens(word string, ways []Overlap) bool {
	tokens := Tokens(word)
	return slices.ContainsFunc(ways, func(o Overlap) bool {
		n := 0
		for _, s := range o.Tokens {
			if slices.Contains(tokens, s) {
				n++
			}
		}
		return n >= o.Need
	})
}

// FuzzLookup: what matches is found by its tokens.
func FuzzLookup(f *testing.F) {
	for _, s := range [][2]string{{"*oh*", "Doe^John"}, {"Mayr^Fil*", "Meyer^Philipp"}, {"山*", "x=山田"}, {"a*^?=é", "Aé^B=x"}, {"Andeson", "Anderson"}, {"abcdefghij", "abcdeghijk"}, {"li o*", "O^Li"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, key, name string) {
		if len(key) > 200 || len(name) > 200 {
			return
		}
		for _, c := range []Condition{New(tag.PatientName, vr.PN, key), Fuzzy(New(tag.PatientName, vr.PN, key))} {
			for _, groups := range c.NameKeys() {
				for i := range groups {
					for _, g := range FoldName(name) {
						if g != "" && groups[i].Match(g) && !found(&groups[i], g) {
							t.Errorf("%q meets %q (%+v), but is not found: %q", g, key, groups[i], Tokens(g))
						}
					}
				}
			}
		}
	})
}
