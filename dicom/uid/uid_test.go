package uid

import (
	"slices"
	"strings"
	"testing"
)

func TestValid(t *testing.T) {
	for u, want := range map[UID]bool{
		"": false, "1": true, "1.2": true, "1..2": false, ".1": false, "1.": false,
		"1.02": false, "1.0": true, "0.1": true, "1.2a": false, "1 .2": false,
		UID(strings.Repeat("1", 64)): true, UID(strings.Repeat("1", 65)): false,
	} {
		if got := u.Valid(); got != want {
			t.Errorf("%q: %v", u, got)
		}
	}
}

func TestParse(t *testing.T) {
	for in, want := range map[string]UID{"1.2\x00": "1.2", "1.2 ": "1.2", " 1.2\x00\x00": "1.2", "\x00": "", "": ""} {
		if got := Parse([]byte(in)); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		u    UID
		want Info
	}{
		{CTImageStorage, Info{"CTImageStorage", "CT Image Storage", KindSOPClass, false}},
		{ExplicitVRBigEndian, Info{"ExplicitVRBigEndian", "Explicit VR Big Endian", KindTransferSyntax, true}},
		{"1.2.840.10008.1.1", Info{"Verification", "Verification SOP Class", KindSOPClass, false}},
		{DicomDeviceName, Info{"dicomDeviceName", "dicomDeviceName", KindLDAP, false}},
		{"1.2.840.10008.15.1.1", Info{"UTC", "Universal Coordinated Time", KindSynchronizationFrameOfReference, false}},
	} {
		if got, ok := Lookup(c.u); !ok || got != c.want {
			t.Errorf("%s: %+v %v", c.u, got, ok)
		}
		if got, ok := ByKeyword(c.want.Keyword); !ok || got != c.u {
			t.Errorf("%s: %s %v", c.want.Keyword, got, ok)
		}
	}
	for _, u := range []UID{"", "1.2", root, root + "1.2.9", "1.2.840.10008.99"} {
		if _, ok := Lookup(u); ok {
			t.Errorf("%q is found", u)
		}
	}
	for _, k := range []string{"", "zzz", "AAA", "CTImage"} {
		if u, ok := ByKeyword(k); ok {
			t.Errorf("%q is %s", k, u)
		}
	}
}

// TestTable goes through the whole table by every way in.
func TestTable(t *testing.T) {
	n, syntaxes := 0, 0
	for u, info := range All() {
		n++
		if !u.Valid() || info.Kind.String() == "" {
			t.Errorf("%s: %+v", u, info)
		}
		if got, ok := Lookup(u); !ok || got != info {
			t.Errorf("%s: not found by itself", u)
		}
		if info.Keyword != "" {
			if got, ok := ByKeyword(info.Keyword); !ok || got != u {
				t.Errorf("%s: not found by keyword %s", u, info.Keyword)
			}
		}
		s, ok := u.SyntaxInfo()
		if ok != (info.Kind == KindTransferSyntax) {
			t.Errorf("%s %s: transfer syntax %v", u, info.Name, ok)
		}
		if ok {
			syntaxes++
			checkSyntax(t, info.Name, s)
		}
	}
	if n != 1877 || syntaxes != 63 {
		t.Errorf("%d UIDs, %d transfer syntaxes", n, syntaxes)
	}
}

// checkSyntax compares the facts with what the names of PS3.6 say.
func checkSyntax(t *testing.T, name string, s Syntax) {
	t.Helper()
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
	}
	for _, c := range []struct {
		what      string
		got, want bool
	}{
		{"big endian", s.BigEndian, has("Big Endian")},
		{"explicit", s.Explicit, !has("Implicit", "XML", "MIME")},
		{"deflated", s.Deflated, has("Deflate") && !has("Frame")},
		{"video", s.Video, has("MPEG", "HEVC")},
		{"real time", s.RealTime, has("SMPTE")},
		{"referenced", s.Referenced, has("JPIP")},
		{"encapsulated", s.Encapsulated, has("JPEG", "MPEG", "HEVC", "RLE", "Frame", "Encapsulated") && !has("JPIP")},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s is %v", name, c.what, c.got)
		}
	}
	if s.Lossy && has("Lossless Only", "RLE", "Uncompressed", "JPEG Lossless", "Frame", "XL Lossless") {
		t.Errorf("%s: lossy", name)
	}
	if !s.Lossy && has("Process 1)", "Lossy", "MPEG", "HEVC", "Spectral", "Extended (", "Progression") {
		t.Errorf("%s: not lossy", name)
	}
}

func TestStorageClasses(t *testing.T) {
	all := slices.Collect(StorageClasses())
	if len(all) < 190 || !slices.IsSorted(all) {
		t.Errorf("%d classes", len(all))
	}
	for u, want := range map[UID]bool{
		CTImageStorage: true, HangingProtocolStorage: true, RawDataStorage: true, StoredPrintStorage: true,
		UltrasoundImageStorageRetired: true, RTBeamsDeliveryInstructionStorage: true, InventoryStorage: true,
		WaveformPresentationStateStorage: true, MediaStorageDirectoryStorage: false,
		StorageCommitmentPushModel: false, Storage: false, Verification: false, InventoryFind: false,
		ImplicitVRLittleEndian: false, "1.2.3": false,
	} {
		if u.IsStorage() != want || slices.Contains(all, u) != want {
			t.Errorf("%s: storage is %v", u.Name(), !want)
		}
	}
}

func TestNew(t *testing.T) {
	a, b := New(), New()
	if a == b || !a.Valid() || !strings.HasPrefix(string(a), "2.25.") {
		t.Errorf("%s %s", a, b)
	}
	// The example of PS3.5 B.2.
	got := FromUUID([16]byte{0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec, 0x11, 0xd0, 0xa7, 0x65, 0x00, 0xa0, 0xc9, 0x1e, 0x6b, 0xf6})
	if got != "2.25.329800735698586629295641978511506172918" {
		t.Errorf("%s", got)
	}
	if got := FromUUID([16]byte{}); got != "2.25.0" {
		t.Errorf("%s", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.2.840\x00", " ", "", "1.02", "1..2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		u := Parse(b)
		if u.Valid() && Parse([]byte(u)) != u {
			t.Errorf("%q", u)
		}
		u.Name()
		u.SyntaxInfo()
	})
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Lookup(CTImageStorage); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkSyntaxInfo(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := UID(JPEG2000).SyntaxInfo(); !ok {
			b.Fatal("not found")
		}
	}
}
