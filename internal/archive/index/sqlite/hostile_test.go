package sqlite

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/index/memory"
)

// pieces are what odd names and their keys are made of.
var pieces = []string{"a", "b", "an", "Anna", "meier", "Mayer", "^", "^", " ", " ", "'", `"`, "%", "_", "-", "(", "~", "~m", "NEAR", "é", "e\u0301", "ß", "İ", "Σς", "山", "田", "ｱ", "ガ", "か\u3099", "길", "😀",
	"＊", "？", "\u200d", "\u00a0", "\u3000", "1", "007", "\x01", "\x7f", "\ufffd", strings.Repeat("x", 70), strings.Repeat("ab ", 20)}

// TestOddNames: names and keys of odd characters give the same answers as in memory.
func TestOddNames(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 4))
	x, y := open(t, filepath.Join(t.TempDir(), "index.db")), new(memory.Index)
	var f indextest.Feeder
	odd := func(more ...string) string {
		var b strings.Builder
		for range 1 + rng.IntN(5) {
			from := append(pieces, more...)
			b.WriteString(from[rng.IntN(len(from))])
		}
		return b.String()
	}
	var names []string
	for i := range 300 {
		names = append(names, odd("=", `\`))
		e := f.Entry(t, indextest.Object{Patient: fmt.Sprint("P", i%200), Name: names[i], Study: uid.UID(fmt.Sprint("1.1.", i)),
			Series: uid.UID(fmt.Sprint("1.2.", i)), SOP: uid.UID(fmt.Sprint("1.3.", i)), Class: uid.CTImageStorage})
		indextest.Commit(t, x, e)
		indextest.Commit(t, y, e)
	}
	found := 0
	for k := range 800 {
		key := odd("*", "?", "*", "=")
		if r := []rune(names[rng.IntN(len(names))]); rng.IntN(2) == 0 {
			i := rng.IntN(len(r))
			key = "*" + string(r[i:i+1+rng.IntN(len(r)-i)]) + "*"
			key = key[rng.IntN(2) : len(key)-rng.IntN(2)]
		}
		c := match.New(tag.PatientName, vr.PN, key)
		if k%3 == 0 {
			c = match.Fuzzy(c)
		}
		s := &index.Search{Level: index.Level(1 + rng.IntN(4)), Where: []match.Condition{c}, Budget: -1}
		a, b := indextest.Find(t, x, s), indextest.Find(t, y, s)
		if found += len(a); len(a) != len(b) {
			t.Errorf("key %q, fuzzy %t, level %v: %d answers, %d in memory", key, k%3 == 0, s.Level, len(a), len(b))
		}
	}
	if found < 800 {
		t.Error("few answers:", found)
	}
}
