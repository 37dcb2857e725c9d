package indextest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/match"
	"gantry/internal/archive/index/memory"
	"gantry/internal/archive/record"
)

func pick[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

var names = []string{"Müller^Jörg", "MULLER^JORG", "Doe^John", "Doe^Jane^^^", "O'Neil^A", "Yamada^Tarou=山田^太郎=やまだ^たろう", "", "^", "Hong^Gildong=洪^吉洞=홍^길동",
	"Meyer^Philipp", "Maier^Filip", "Johansson^Anna Maria", "Johanson^Ana", "Van der Berg^Jo", `Two^One\Names^Other`, "Li^O", "김^희중", "Ιωάννης^Α", strings.Repeat("Long^", 300) + "End", "a-b^c'd"}

// nameKeys are keys of names: whole, in part, and nearly right.
var nameKeys = []string{"muller*", "MÜLLER^JÖRG", "doe^*", "Doe", "*jane*", "山田*", "=山田*", "yamada*=*太郎", "?o*", "doe^john^^", "*田*", "*길*", "*だ*",
	"*oha*", "*an*", "*e?g*", "*r p*", "meier", "mayr^fillip", "Johannsen^Maria", "Jon^Do", "jorg muler", "jo*", "li", "l*^o", "*nd", "*'*", "van berg*", "names*",
	"filip m*", "*end", "long end", "Yamda Taro", "山本", "吉洞 洪", "=吉洞", "a b*", "*-b*", "*", "^", "Ιωαννης", "o'neill^a", "hong=洪^吉洞=홍^길동", "m*r^*"}

func randomObject(rng *rand.Rand, n int) Object {
	study := rng.IntN(40)
	return Object{
		Patient: pick(rng, "P1", "P2", "P20", "", "p1"), Issuer: pick(rng, "", "", "H1"), Name: pick(rng, names...),
		Study: uid.UID(fmt.Sprint("1.", study)), Series: uid.UID(fmt.Sprint("1.", study, ".", rng.IntN(3))), SOP: uid.UID(fmt.Sprint("1.5.", rng.IntN(n))),
		Modality: pick(rng, "CT", "MR", "US", ""), Date: pick(rng, "20200101", "20200102", "20211231", "", "2020.01.03", "bad"),
		Time: pick(rng, "", "0930", "235959.999", "12"), Accession: pick(rng, "", "A1", "A12", "B"), Description: pick(rng, "Thorax", "thorax", "HEAD", ""),
		Number: rng.IntN(100), Zone: pick(rng, "", "", "+0100", "-0500"), Class: pick(rng, uid.CTImageStorage, uid.MRImageStorage), Reference: pick(rng, "", uid.UID(fmt.Sprint("1.5.", rng.IntN(n)))),
	}
}

// randomHistory commits the same random records to both indexes.
func randomHistory(t testing.TB, rng *rand.Rand, halfway func(), xs ...index.Index) {
	var f Feeder
	var past []index.Entry
	for round := range 60 {
		if round == 30 {
			halfway()
		}
		var batch []index.Entry
		for range 1 + rng.IntN(12) {
			if len(past) > 0 && rng.IntN(6) == 0 {
				batch = append(batch, f.About(pick(rng, record.Delete, record.Restore, record.Purge), &past[rng.IntN(len(past))]))
				continue
			}
			e := f.Entry(t, randomObject(rng, 300))
			e.Envelope.Number = 1 + rng.IntN(3)
			e.Envelope.Current = rng.IntN(4) > 0
			past = append(past, e)
			batch = append(batch, e)
		}
		var outs [][]index.Outcome
		for _, x := range xs {
			outs = append(outs, Commit(t, x, batch...))
		}
		if !reflect.DeepEqual(outs[0], outs[len(outs)-1]) {
			t.Fatalf("outcomes differ: %v", outs)
		}
	}
}

func randomCondition(rng *rand.Rand) match.Condition {
	switch rng.IntN(16) {
	case 0:
		return match.New(tag.PatientID, vr.LO, pick(rng, "P1", "P*", "P?", "p1", "*1", "P2*", "X"))
	case 1, 2:
		return randomName(rng)
	case 3:
		return match.New(tag.StudyDate, vr.DA, pick(rng, "20200101", "20200101-20200102", "-20200102", "20200102-", "20200103", "2020.01.01", "junk"))
	case 4:
		return match.New(tag.Modality, vr.CS, pick(rng, "CT", "M*", "US", "CT", "x"))
	case 5:
		return match.New(tag.ModalitiesInStudy, vr.CS, pick(rng, []string{"CT"}, []string{"MR", "US"}, []string{"?T"})...)
	case 6:
		return match.New(tag.StudyInstanceUID, vr.UI, fmt.Sprint("1.", rng.IntN(40)), fmt.Sprint("1.", rng.IntN(40)))
	case 7:
		return match.New(tag.AccessionNumber, vr.SH, pick(rng, "A1", "A*", "A1?", "B", "C"))
	case 8:
		return match.New(tag.SeriesDescription, vr.LO, pick(rng, "Thorax", "*o*", "HEAD", "t*"))
	case 9:
		return match.New(tag.SOPInstanceUID, vr.UI, fmt.Sprint("1.5.", rng.IntN(300)), fmt.Sprint("1.5.", rng.IntN(300)))
	case 11:
		return match.New(tag.InstanceNumber, vr.IS, fmt.Sprint(rng.IntN(100)))
	case 13:
		t, v := tag.AccessionNumber, vr.SH
		switch rng.IntN(5) {
		case 0:
			t, v = tag.StudyDate, vr.DA
		case 1:
			t, v = tag.Modality, vr.CS
		case 2:
			t, v = tag.PatientName, vr.PN
		case 3:
			t, v = tag.ModalitiesInStudy, vr.CS
		}
		return match.NewEmpty(t, v)
	case 14:
		return match.NewAny(tag.StudyDate, vr.DA, []match.Condition{match.New(tag.StudyDate, vr.DA, "20200101"),
			match.New(tag.StudyDate, vr.DA, pick(rng, "20200103-", "-20200101", "20211231", "junk")), pick(rng, match.NewEmpty(tag.StudyDate, vr.DA), match.New(tag.StudyDate, vr.DA, "20200102"))})
	case 12:
		return match.New(tag.Rows, vr.US, fmt.Sprint(rng.IntN(3)))
	case 10:
		return match.New(tag.NumberOfStudyRelatedInstances, vr.IS, fmt.Sprint(1+rng.IntN(5)))
	}
	return match.New(pick(rng, tag.SOPClassUID, tag.SOPClassesInStudy), vr.UI, string(uid.CTImageStorage))
}

// randomName makes a key for the patient's name, half of them fuzzy, some of two values.
func randomName(rng *rand.Rand) match.Condition {
	values := []string{pick(rng, nameKeys...)}
	if rng.IntN(4) == 0 {
		values = append(values, pick(rng, nameKeys...))
	}
	c := match.New(tag.PatientName, vr.PN, values...)
	if rng.IntN(2) == 0 {
		c = match.Fuzzy(c)
	}
	return c
}

func randomSearch(rng *rand.Rand) *index.Search {
	s := &index.Search{Level: index.Level(1 + rng.IntN(4)), Order: index.Order(rng.IntN(4)), Descending: rng.IntN(2) == 0, Budget: -1}
	for range rng.IntN(4) {
		s.Where = append(s.Where, randomCondition(rng))
	}
	if rng.IntN(3) == 0 {
		s.Where = match.Combine(append(s.Where, match.New(tag.StudyDate, vr.DA, "20200101-20200102"), match.New(tag.StudyTime, vr.TM, "0930-1000")), tag.StudyDate, tag.StudyTime)
		for i := range s.Where {
			if rng.IntN(2) == 0 {
				s.Where[i] = s.Where[i].Adjust(pick(rng, "", "+0100", "-1200", "+1400"), time.UTC)
			}
		}
	}
	if rng.IntN(3) == 0 {
		s.Limit, s.Offset = 1+rng.IntN(20), rng.IntN(5)
	}
	return s
}

func searches() int {
	if n, err := strconv.Atoi(os.Getenv("GANTRY_LONG")); err == nil && n > 0 {
		return 10_000 * n
	}
	return 2500
}

// random holds an index beside the one in memory.
func random(t *testing.T, x index.Index) {
	rng := rand.New(rand.NewPCG(11, 21))
	y := new(memory.Index)
	randomHistory(t, rng, func() {}, x, y)
	SameAnswers(t, rng, x, y, searches())
	compareLists(t, rng, x, y)
}

// Both commits the same random history to two indexes,
// and calls halfway in its middle.
func Both(t testing.TB, rng *rand.Rand, x, y index.Index, halfway func()) {
	randomHistory(t, rng, halfway, x, y)
}

// SameAnswers fails the test when two indexes differ in what they count or in the answers
// to so many random searches.
func SameAnswers(t testing.TB, rng *rand.Rand, x, y index.Index, searches int) {
	t.Helper()
	a, err1 := x.State(context.Background())
	b, err2 := y.State(context.Background())
	if err1 != nil || err2 != nil || a != b {
		t.Fatalf("states differ:\n%+v\n%+v", a, b)
	}
	found := 0
	for range searches {
		s := randomSearch(rng)
		a, b := Find(t, x, s), Find(t, y, s)
		found += len(a)
		if err := sameRows(a, b); err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		if len(a) > 2 {
			next := *s
			next.Offset, next.After = 0, &a[len(a)/2].At
			if err := sameRows(Find(t, x, &next), Find(t, y, &next)); err != nil {
				t.Fatalf("second page of %+v: %v", s, err)
			}
		}
	}
	if found < searches {
		t.Errorf("only %d answers to %d searches", found, searches)
	}
}

func sameRows(a, b []*index.Row) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d answers, %d in memory", len(a), len(b))
	}
	for i := range a {
		p, q := *a[i], *b[i]
		if !equalSets(p.Attrs, q.Attrs) {
			return fmt.Errorf("attributes of row %d differ: ID %d at %+v, %d at %+v", i, p.ID, p.At, q.ID, q.At)
		}
		p.Attrs, q.Attrs, p.More, q.More = nil, nil, false, false
		if !reflect.DeepEqual(p, q) {
			return fmt.Errorf("row %d:\n%+v\n%+v", i, p, q)
		}
	}
	return nil
}

func equalSets(a, b *dicom.DataSet) bool {
	p, err1 := dicom.AppendEncode(nil, a, uid.ExplicitVRLittleEndian)
	q, err2 := dicom.AppendEncode(nil, b, uid.ExplicitVRLittleEndian)
	return err1 == nil && err2 == nil && string(p) == string(q)
}

func compareLists(t *testing.T, rng *rand.Rand, x, y index.Index) {
	ctx := context.Background()
	for range 100 {
		var s index.Selector
		if rng.IntN(3) == 0 {
			s.PatientIDs = []string{pick(rng, "P1", "", "P20")}
		}
		if rng.IntN(2) == 0 {
			s.Studies = []uid.UID{uid.UID(fmt.Sprint("1.", rng.IntN(40))), uid.UID(fmt.Sprint("1.", rng.IntN(40)))}
		}
		if rng.IntN(3) == 0 {
			s.Instances = []uid.UID{uid.UID(fmt.Sprint("1.5.", rng.IntN(300)))}
		}
		var a, b []index.Location
		for l := range x.Select(ctx, s) {
			a = append(a, l)
		}
		for l := range y.Select(ctx, s) {
			b = append(b, l)
		}
		u := uid.UID(fmt.Sprint("1.5.", rng.IntN(300)))
		for l := range x.Referrers(ctx, u) {
			a = append(a, l)
		}
		for l := range y.Referrers(ctx, u) {
			b = append(b, l)
		}
		va, _ := x.Versions(ctx, u)
		vb, _ := y.Versions(ctx, u)
		ka, _ := x.Kept(ctx, u)
		kb, _ := y.Kept(ctx, u)
		if !reflect.DeepEqual(ka, kb) {
			t.Fatalf("%s: kept\n%+v\n%+v", u, ka, kb)
		}
		if !reflect.DeepEqual(append(a, va...), append(b, vb...)) {
			t.Fatalf("%+v:\n%+v\n%+v", s, a, b)
		}
	}
	var a, b []index.Change
	for c := range x.Changes(ctx, 3) {
		a = append(a, c)
	}
	for c := range y.Changes(ctx, 3) {
		b = append(b, c)
	}
	if len(a) < 100 || !reflect.DeepEqual(a, b) {
		t.Errorf("change feeds of %d and %d differ", len(a), len(b))
	}
}
