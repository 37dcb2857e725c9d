package vr

import "testing"

func TestAll(t *testing.T) {
	if len(All()) != 34 {
		t.Errorf("%d VRs", len(All()))
	}
	for _, v := range All() {
		s := v.String()
		if len(s) != 2 || Of(s[0], s[1]) != v || !v.Known() {
			t.Errorf("%s: of %v", s, Of(s[0], s[1]))
		}
		if v.HasCharset() && !v.IsText() || v.IsSingle() && !v.IsText() || v.IsText() && v.Width() != 1 {
			t.Errorf("%s: facts contradict each other", s)
		}
	}
	if VR(0).Known() || VR(0).String() != "??" || Of('Z', 'Z').Known() || !Of('Z', 'Z').LongHeader() {
		t.Error("unknown VRs")
	}
}

// TestFacts holds what PS3.5 6.2 and 7.1.2 say, VR by VR.
func TestFacts(t *testing.T) {
	type facts struct {
		long, text, charset, single bool
		width                       int
		pad                         byte
	}
	word := facts{pad: ' ', width: 1, text: true}
	local := facts{pad: ' ', width: 1, text: true, charset: true}
	for v, want := range map[VR]facts{
		AE: word, AS: word, CS: word, DA: word, DS: word, DT: word, IS: word, TM: word,
		LO: local, PN: local, SH: local,
		LT: {text: true, charset: true, single: true, width: 1, pad: ' '},
		ST: {text: true, charset: true, single: true, width: 1, pad: ' '},
		UT: {long: true, text: true, charset: true, single: true, width: 1, pad: ' '},
		UC: {long: true, text: true, charset: true, width: 1, pad: ' '},
		UR: {long: true, text: true, single: true, width: 1, pad: ' '},
		UI: {text: true, width: 1},
		AT: {width: 2}, SS: {width: 2}, US: {width: 2}, SL: {width: 4}, UL: {width: 4}, FL: {width: 4}, FD: {width: 8},
		SV: {long: true, width: 8}, UV: {long: true, width: 8}, OV: {long: true, width: 8}, OD: {long: true, width: 8},
		OF: {long: true, width: 4}, OL: {long: true, width: 4}, OW: {long: true, width: 2},
		OB: {long: true, width: 1}, UN: {long: true, width: 1}, SQ: {long: true, width: 1},
	} {
		got := facts{v.LongHeader(), v.IsText(), v.HasCharset(), v.IsSingle(), v.Width(), v.Pad()}
		if got != want {
			t.Errorf("%s: %+v, want %+v", v, got, want)
		}
	}
}
