//go:build linux

package dump

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// TestHugeObject reads, dumps, walks by tokens and rewrites an object that lies in a sparse
// file: 64 MB always, 20 GB when GANTRY_LONG is set. Memory must not grow with it.
func TestHugeObject(t *testing.T) {
	const frame = 1 << 20
	for _, c := range []struct {
		name   string
		frames int64
		long   bool
	}{
		{"64MB", 64, false},
		{"20GB", 20 << 10, true},
	} {
		if c.long && os.Getenv("GANTRY_LONG") == "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "huge.dcm")
			size := hugeObject(t, name, c.frames, frame)
			before := residentPeak(t)
			checkHuge(t, name, size, c.frames, frame)
			if grown := residentPeak(t) - before; grown > 128<<20 {
				t.Errorf("resident memory grew by %d MB", grown>>20)
			}
		})
	}
}

// hugeObject writes the headers of an encapsulated multi-frame object with an extended
// offset table (PS3.5 A.4, PS3.3 C.7.6.3.1.8), leaving holes for its frames.
func hugeObject(t *testing.T, name string, frames, frame int64) int64 {
	var offsets, lengths []byte
	for i := range frames {
		offsets = binary.LittleEndian.AppendUint64(offsets, uint64(i*(frame+8)))
		lengths = binary.LittleEndian.AppendUint64(lengths, uint64(frame))
	}
	ds, err := new(dicom.DataSet).Edit().
		SetUID(tag.SOPClassUID, uid.EnhancedCTImageStorage).
		SetText(tag.PatientName, "Huge").
		SetInt(tag.NumberOfFrames, frames).
		SetBytes(tag.ExtendedOffsetTable, vr.OV, offsets).
		SetBytes(tag.ExtendedOffsetTableLengths, vr.OV, lengths).Build()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := part10.MetaInfo{Class: uid.EnhancedCTImageStorage, Instance: "1.2.3", Syntax: uid.JPEGBaseline8Bit}.Meta()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := part10.Write(f, meta, ds, uid.ExplicitVRLittleEndian); err != nil {
		t.Fatal(err)
	}
	write := func(s string) {
		if _, err := io.WriteString(f, s); err != nil {
			t.Fatal(err)
		}
	}
	write("\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\x00\x00\x00\x00")
	for range frames {
		write("\xfe\xff\x00\xe0" + string(binary.LittleEndian.AppendUint32(nil, uint32(frame))))
		if _, err := f.Seek(frame, io.SeekCurrent); err != nil {
			t.Fatal(err)
		}
	}
	write("\xfe\xff\xdd\xe0\x00\x00\x00\x00")
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func checkHuge(t *testing.T, name string, size, frames, frame int64) {
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	px, _ := f.DataSet.Get(tag.PixelData)
	if int64(px.FragmentCount()) != frames+1 || len(f.DataSet.Flaws()) > 0 {
		t.Errorf("%d fragments, %v", px.FragmentCount(), f.DataSet.Flaws())
	}
	var lines lineCounter
	if err := Text(&lines, f, Options{}); err != nil || int64(lines) < frames {
		t.Errorf("%d lines, %v", lines, err)
	}
	ds, err := f.DataSet.Edit().SetText(tag.PatientName, "Huger").Build()
	if err != nil {
		t.Fatal(err)
	}
	var n byteCounter
	if err := part10.Write(&n, f.Meta, ds, f.Syntax); err != nil || int64(n) != size+2 {
		t.Errorf("%d bytes rewritten, want %d, %v", n, size+2, err)
	}
	walkHuge(t, f, frames, frame)
}

// walkHuge goes through the object by tokens, over its frames by seeking.
func walkHuge(t *testing.T, f *part10.File, frames, frame int64) {
	d := dicom.NewDecoder(f.DataSetReader(), dicom.DecodeOptions{Syntax: f.Syntax})
	seen, length := int64(0), int64(0)
	for {
		tok, err := d.ReadToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if tok.Kind == dicom.Fragment {
			seen++
			length += tok.Length
		}
	}
	if seen != frames+1 || length != frames*frame || d.InputOffset() != f.Size()-f.DataSetOffset {
		t.Errorf("%d fragments of %d bytes, up to %d", seen, length, d.InputOffset())
	}
}

type lineCounter int64

func (c *lineCounter) Write(p []byte) (int, error) {
	*c += lineCounter(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}

type byteCounter int64

func (c *byteCounter) Write(p []byte) (int, error) {
	*c += byteCounter(len(p))
	return len(p), nil
}

// residentPeak is the most memory that the process ever had, in bytes.
func residentPeak(t *testing.T) int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(v)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}
