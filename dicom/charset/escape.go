package charset

// graphics is a coded character set as one of the two code elements holds it: codes, and
// romaji, which only ISO-IR 13 brings along.
type graphics struct {
	code   code
	romaji bool // ISO-IR 14, the G0 half of code katakana
	empty  bool // nothing is designated
}

// state is what G0 and G1 hold at one place of a text (PS3.5 6.1.2.5).
type state struct{ g0, g1 graphics }

// initial returns the state that value 1 sets, at the start and after each delimiter.
func (s Set) initial() state {
	st := state{g1: graphics{empty: true}}
	switch c := s.first(); {
	case c == katakana:
		st.g0 = graphics{code: katakana, romaji: true}
		st.g1 = graphics{code: katakana}
	case c == hangul || c == hanzi || c.page() != nil:
		st.g1 = graphics{code: c}
	}
	return st
}

// designation is an escape sequence of PS3.3 Tables C.12-3 and C.12-4, or one that other
// writers use for the same.
type designation struct {
	escape string // what follows ESC
	set    graphics
	g1     bool
	usual  bool // the sequence of the standard
}

// designations returns the escape sequences that are understood, the standard's first.
func designations() []designation { return designationTable[:] }

var designationTable = [...]designation{
	{"(B", graphics{code: ascii}, false, true},
	{"(J", graphics{code: katakana, romaji: true}, false, true},
	{")I", graphics{code: katakana}, true, true},
	{"-A", graphics{code: latin1}, true, true},
	{"-B", graphics{code: latin2}, true, true},
	{"-C", graphics{code: latin3}, true, true},
	{"-D", graphics{code: latin4}, true, true},
	{"-L", graphics{code: cyrillic}, true, true},
	{"-G", graphics{code: arabic}, true, true},
	{"-F", graphics{code: greek}, true, true},
	{"-H", graphics{code: hebrew}, true, true},
	{"-M", graphics{code: latin5}, true, true},
	{"-b", graphics{code: latin9}, true, true},
	{"-T", graphics{code: thai}, true, true},
	{"$B", graphics{code: kanji}, false, true},
	{"$(D", graphics{code: supplement}, false, true},
	{"$)C", graphics{code: hangul}, true, true},
	{"$)A", graphics{code: hanzi}, true, true},
	{"(I", graphics{code: katakana}, false, false},
	{"$@", graphics{code: kanji}, false, false}, // JIS C 6226-1978
	{"$(B", graphics{code: kanji}, false, false},
	{"$A", graphics{code: hanzi}, false, false},
	{"$(A", graphics{code: hanzi}, false, false},
	{"$(C", graphics{code: hangul}, false, false},
	{"$)B", graphics{code: kanji}, true, false},
	{"$)D", graphics{code: supplement}, true, false},
}

// escape finds the sequence at the start of b, which is what follows an ESC.
func escape(b []byte) (designation, bool) {
	for _, d := range designations() {
		if len(b) >= len(d.escape) && string(b[:len(d.escape)]) == d.escape {
			return d, true
		}
	}
	return designation{}, false
}

// escapeFor returns the sequence of the standard that designates a set.
func escapeFor(set graphics, g1 bool) string {
	for _, d := range designations() {
		if d.usual && d.set == set && d.g1 == g1 {
			return d.escape
		}
	}
	return ""
}
