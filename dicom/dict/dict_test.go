package dict

import (
	"errors"
	"slices"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		tag  tag.Tag
		want Entry
	}{
		{tag.PatientName, Entry{0x00100010, exact, "PatientName", "Patient's Name", vr.PN, Single, "1", false}},
		{tag.PixelData, Entry{0x7FE00010, exact, "PixelData", "Pixel Data", vr.OW, OBOrOW, "1", false}},
		{0x60023000, Entry{0x60003000, 0xFF00FFFF, "OverlayData", "Overlay Data", vr.OW, OBOrOW, "1", false}},
		{0x50FE3000, Entry{0x50003000, 0xFF00FFFF, "CurveData", "Curve Data", vr.OW, OBOrOW, "1", true}},
		{0x7F020010, Entry{0x7F000010, 0xFF00FFFF, "VariablePixelData", "Variable Pixel Data", vr.OW, OBOrOW, "1", true}},
		{0x002031AB, Entry{0x00203100, 0xFFFFFF00, "SourceImageIDs", "Source Image IDs", vr.CS, Single, "1-n", true}},
		{0x00280400, Entry{0x00280400, exact, "TransformLabel", "Transform Label", vr.LO, Single, "1", true}},
		{0x002804F0, Entry{0x00280400, 0xFFFFFF0F, "RowsForNthOrderCoefficients", "Rows For Nth Order Coefficients", vr.US, Single, "1", true}},
		{0x00280818, Entry{0x00280808, 0xFFFFFF0F, "ImageDataLocation", "Image Data Location", vr.AT, Single, "1-n", true}},
		{0x10001234, Entry{0x10000004, 0xFFFF000F, "ShiftTableSize", "Shift Table Size", vr.US, Single, "1", true}},
		{0x10104321, Entry{0x10100000, 0xFFFF0000, "ZonalMap", "Zonal Map", vr.US, Single, "1-n", true}},
		{tag.SmallestImagePixelValue, Entry{0x00280106, exact, "SmallestImagePixelValue", "Smallest Image Pixel Value", vr.US, USOrSS, "1", false}},
		{tag.LUTData, Entry{0x00283006, exact, "LUTData", "LUT Data", vr.US, USOrOW, "1-n", false}},
		{0x00100000, Entry{0x00100000, exact, "GenericGroupLength", "Generic Group Length", vr.UL, Single, "1", false}},
		{0x00090000, Entry{0x00090000, exact, "PrivateGroupLength", "Private Group Length", vr.UL, Single, "1", false}},
		{0x00090010, Entry{0x00090010, exact, "PrivateCreator", "Private Creator", vr.LO, Single, "1", false}},
		{tag.Item, Entry{0xFFFEE000, exact, "Item", "Item", 0, Single, "1", false}},
	} {
		want := c.want
		if want.Choice == OBOrOW {
			want.VR = vr.OB
		}
		if got, ok := Lookup(c.tag); !ok || got != want {
			t.Errorf("%s: %+v %v\nwant %+v", c.tag, got, ok, want)
		}
		if got := VROf(c.tag); got != want.VR {
			t.Errorf("%s: VROf %s", c.tag, got)
		}
		if got := ChoiceOf(c.tag); got != want.Choice {
			t.Errorf("%s: ChoiceOf %s", c.tag, got)
		}
	}
}

func TestUnknown(t *testing.T) {
	for _, u := range []tag.Tag{0x00091001, 0x60013000, 0x00110001, 0x000811FF, 0x60003FFF, 0x00204FF1, 0x00280999, 0x10000006, 0xFFFFFFFF} {
		if e, ok := Lookup(u); ok {
			t.Errorf("%s: %+v", u, e)
		}
		if v := VROf(u); v != 0 {
			t.Errorf("%s: VROf %s", u, v)
		}
	}
}

// TestTable goes through the whole table by every way in.
func TestTable(t *testing.T) {
	if len(tags) != 5354 {
		t.Errorf("%d elements", len(tags))
	}
	if !slices.IsSorted(tags[:]) {
		t.Error("tags are not sorted")
	}
	for i, home := range tags {
		e, ok := Lookup(tag.Tag(home))
		if !ok || e != entryAt(i) || e.Choice >= choiceNumber {
			t.Fatalf("%08X: %+v %v", home, e, ok)
		}
		if e.VR != 0 && !e.VR.Known() || e.VM == "" || e.Name == "" {
			t.Errorf("%08X: %+v", home, e)
		}
		if e.Choice != Single && !e.Choice.Allows(e.VR) {
			t.Errorf("%08X: %s is not in %s", home, e.VR, e.Choice)
		}
		if e.Keyword == "" {
			continue
		}
		if got, ok := ByKeyword(e.Keyword); !ok || got != e {
			t.Errorf("%s: found %+v", e.Keyword, got)
		}
		if got, err := ParseTag(e.Keyword); err != nil || got != tag.Tag(home) {
			t.Errorf("%s: parsed as %s, %v", e.Keyword, got, err)
		}
	}
}

func TestPrivate(t *testing.T) {
	for _, c := range []struct {
		creator string
		tag     tag.Tag
		name    string
		vr      vr.VR
	}{
		{"SIEMENS CSA HEADER", 0x00291010, "CSA Image Header Info", vr.OB},
		{"SIEMENS CSA HEADER ", 0x0029AB10, "CSA Image Header Info", vr.OB},
		{"GEMS_IDEN_01", 0x00091001, "Full fidelity", vr.LO},
		{"PAPYRUS 3.0", 0x60011010, "OverlayRows", vr.US},
		{"PAPYRUS 3.0", 0x60FF1010, "OverlayRows", vr.US},
	} {
		e, ok := Private(c.creator, c.tag)
		if !ok || e.VR != c.vr || c.tag&e.Mask != e.Tag || e.VM == "" {
			t.Errorf("%s %s: %+v %v", c.creator, c.tag, e, ok)
		}
		if e.Name != c.name {
			t.Errorf("%s %s: name %q", c.creator, c.tag, e.Name)
		}
	}
	for creator, u := range map[string]tag.Tag{"": 0x00091001, "GEMS_IDEN_01": 0x00090001, "nobody": 0x00091001, "SIEMENS CSA HEADER": 0x00281010, "ZZZZ": 0x00091001} {
		if e, ok := Private(creator, u); ok {
			t.Errorf("%s %s: %+v", creator, u, e)
		}
	}
}

func TestPrivateTable(t *testing.T) {
	for c := range len(creatorStart) - 1 {
		for i := creatorFirst[c]; i < creatorFirst[c+1]; i++ {
			key := privateKeys[i]
			u := tag.New(uint16(key>>8), 0x1000|uint16(key&0xFF))
			e, ok := Private(creatorAt(c), u)
			if !ok || !e.VR.Known() || e.VM == "" {
				t.Errorf("%s %s: %+v %v", creatorAt(c), u, e, ok)
			}
		}
	}
}

func TestParseTag(t *testing.T) {
	for text, want := range map[string]tag.Tag{
		"PatientName": 0x00100010, "(0010,0010)": 0x00100010, "0010,0010": 0x00100010, "00100010": 0x00100010,
		" 7fe00010 ": 0x7FE00010, "(fffe,E000)": 0xFFFEE000, "(00100010)": 0x00100010,
	} {
		if got, err := ParseTag(text); err != nil || got != want {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "patientname", "(0010,0010", "0010,0010)", "0010 0010", "0010,001", "+0100010", "001000100", "0x100010", "00_00010", "GGGGEEEE", "(PatientName)"} {
		var bad *TagError
		if got, err := ParseTag(text); !errors.As(err, &bad) || bad.Text != text {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
}

func TestVRText(t *testing.T) {
	for keyword, want := range map[string]string{"GrayLookupTableData": "US or SS or OW", "PatientName": "PN", "Item": "", "LUTDescriptor": "US or SS"} {
		if e, ok := ByKeyword(keyword); !ok || e.VRText() != want {
			t.Errorf("%s: %q", keyword, e.VRText())
		}
	}
}

func FuzzParseTag(f *testing.F) {
	for _, s := range []string{"PatientName", "(0010,0010)", "00100010", "", "(,)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTag(s)
		if err != nil {
			return
		}
		if again, err := ParseTag(got.String()); err != nil || again != got {
			t.Errorf("%q is %s, which is %s, %v", s, got, again, err)
		}
		e, ok := Lookup(got)
		if ok && got&e.Mask != e.Tag {
			t.Errorf("%s: %+v", got, e)
		}
		if VROf(got) != e.VR || ChoiceOf(got) != e.Choice {
			t.Errorf("%s: %s %s, %+v", got, VROf(got), ChoiceOf(got), e)
		}
	})
}

func BenchmarkVROf(b *testing.B) {
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if VROf(tag.Tag(tags[i])) == 0xFFFF {
			b.Fatal("never")
		}
		if i += 997; i >= len(tags) {
			i -= len(tags)
		}
	}
}

// BenchmarkVROfHeader looks up what a CT header has, in its order.
func BenchmarkVROfHeader(b *testing.B) {
	header := []tag.Tag{0x00080005, 0x00080008, 0x00080016, 0x00080018, 0x00080020, 0x00080030, 0x00080050,
		0x00080060, 0x00080070, 0x00080090, 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00180050,
		0x00180060, 0x00181030, 0x00185100, 0x0020000D, 0x0020000E, 0x00200010, 0x00200013, 0x00200032,
		0x00200037, 0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00281050, 0x00281051, 0x7FE00010}
	b.ReportAllocs()
	for b.Loop() {
		for _, t := range header {
			if VROf(t) == 0 {
				b.Fatal("unknown")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(header)), "ns/lookup")
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Lookup(tag.PatientName); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkByKeyword(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ByKeyword("PatientName"); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkPrivate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Private("SIEMENS CSA HEADER", 0x00291010); !ok {
			b.Fatal("not found")
		}
	}
}
