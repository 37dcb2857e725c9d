package match

import (
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Müller^Jürgen": "muller jurgen", "DOE^^ JOHN": "doe john", "Straße": "strasse", "ＡＢＣ": "abc", "ﾔﾏﾀﾞ": "ヤマダ",
		"山田^太郎": "山田 太郎", "김희중": "김희중", "": "", "^^^": "", "É": "e", "ガ": "ガ", "doe  john": "doe john",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		p, s string
		want bool
	}{
		{"", "", true}, {"*", "", true}, {"?", "", false}, {"?", "ä", true}, {"a*", "a", true}, {"a*c", "abbc", true},
		{"a*c", "abb", false}, {"*a*b*", "xxaxxbxx", true}, {"a?c", "aäc", true}, {"abc", "abcd", false}, {"**", "x", true},
		{"ä*", "ö", false}, {strings.Repeat("*a", 50), strings.Repeat("a", 5000) + "b", false},
	} {
		if got := Wildcard(c.p, c.s); got != c.want {
			t.Errorf("%.20q on %.20q: %v", c.p, c.s, got)
		}
	}
}

func TestMatchText(t *testing.T) {
	for _, c := range []struct {
		v    vr.VR
		key  string
		s    string
		want bool
	}{
		{vr.LO, "ABC", "ABC", true}, {vr.LO, "abc", "ABC", false}, {vr.LO, "A?C", "ABC", true}, {vr.UI, "1.*", "1.2", false},
		{vr.PN, "doe^john", "DOE^JOHN", true}, {vr.PN, "doe", "DOE^JOHN", false}, {vr.PN, "doe*", "DOE^JOHN", true},
		{vr.PN, "DOE^*", "doe", true}, {vr.PN, "DOE^*", "Doering^John", false}, {vr.PN, "DOE^*", "Doe^John", true}, {vr.PN, "D*^J*", "Doering^John", true}, {vr.PN, "DOE^JOHN^^^", "Doe^John", true}, {vr.PN, "MULLER*", "Müller^Jörg", true},
		{vr.PN, "山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", true}, {vr.PN, "Yamada*=山田*", "Yamada^Tarou=山田^太郎", true},
		{vr.PN, "=田*", "Yamada^Tarou=山田^太郎", false}, {vr.PN, "*john", "DOE^JOHN", true}, {vr.PN, "", "x", true},
		{vr.DA, "20200101", "20200101", true}, {vr.DA, "20200101-20200131", "20200115", true}, {vr.DA, "-20200131", "20200201", false},
		{vr.DA, "20200101-", "20200201", true}, {vr.DA, "2020.01.01", "20200101", true}, {vr.DA, "bad", "20200101", false},
		{vr.TM, "10-12", "115959.5", true}, {vr.TM, "10-12", "1259", true}, {vr.TM, "10-12", "13", false}, {vr.TM, "1015", "101530", true},
		{vr.TM, "10:15:00-", "101459.999", false}, {vr.DT, "2019-2021", "20200615", true}, {vr.DT, "20200101120000+0100", "20200101110000+0000", true},
		{vr.DT, "20200101-20200131", "20200101", true}, {vr.DT, "20200101120000-0500", "20200101170000+0000", true},
		{vr.IS, "1", "01", true}, {vr.DS, "1.0", "1", true}, {vr.IS, "1", "2", false}, {vr.US, "12", "12", true}, {vr.LO, "*", "x", true},
	} {
		k := New(tag.PatientID, c.v, c.key)
		if got := k.MatchText(c.s); got != c.want {
			t.Errorf("%v %q on %q: %v (%+v)", c.v, c.key, c.s, got, k)
		}
	}
}

func build(t *testing.T, f func(*dicom.Editor)) *dicom.DataSet {
	t.Helper()
	e := new(dicom.DataSet).Edit()
	f(e)
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func TestMatch(t *testing.T) {
	item := build(t, func(e *dicom.Editor) { e.SetText(tag.ScheduledProcedureStepID, "S1").SetText(tag.Modality, "CT") })
	ds := build(t, func(e *dicom.Editor) {
		e.SetText(tag.StudyDate, "20200101").SetText(tag.StudyTime, "0930").SetText(tag.ModalitiesInStudy, "CT", "MR").
			SetText(tag.PatientName, "Müller^Jörg").SetItems(tag.RequestAttributesSequence, item)
	})
	seq := func(v string) Condition {
		return Condition{Tag: tag.RequestAttributesSequence, VR: vr.SQ, Kind: Sequence, Items: []Condition{New(tag.ScheduledProcedureStepID, vr.SH, v)}}
	}
	moment := func(d, tm string) Condition {
		return Combine([]Condition{New(tag.StudyDate, vr.DA, d), New(tag.StudyTime, vr.TM, tm)}, tag.StudyDate, tag.StudyTime)[0]
	}
	for i, c := range []struct {
		c    Condition
		want bool
	}{
		{seq("S1"), true}, {seq("S2"), false}, {seq(""), true},
		{New(tag.ModalitiesInStudy, vr.CS, "MR"), true}, {New(tag.ModalitiesInStudy, vr.CS, "US", "CT"), true}, {New(tag.ModalitiesInStudy, vr.CS, "US"), false},
		{New(tag.PatientName, vr.PN, "muller^jorg"), true}, {New(tag.AccessionNumber, vr.SH, "x"), false}, {New(tag.AccessionNumber, vr.SH, ""), true},
		{moment("20191231-20200101", "1000-0900"), false}, {moment("20191231-20200101", "1000-0931"), true}, {moment("20200101-20200102", "1000-0100"), false},
	} {
		if got := c.c.Match(ds); got != c.want {
			t.Errorf("case %d: %v (%+v)", i, got, c.c)
		}
	}
}

func FuzzMatchText(f *testing.F) {
	f.Add(uint16(vr.PN), "A*^?=é", "Aé^B=x")
	f.Add(uint16(vr.DT), "2020-0500-", "20200101")
	f.Add(uint16(vr.TM), "-12", "1")
	f.Fuzz(func(_ *testing.T, v uint16, key, s string) {
		c := New(tag.PatientName, vr.VR(v), strings.Split(key, `\`)...)
		c.MatchText(s)
		c.NameKeys()
	})
}
