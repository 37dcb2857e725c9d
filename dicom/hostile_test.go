package dicom

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// TestVRConfusion gives well-known elements another VR than they have: typed access must
// follow the bytes that are there, whatever their tag promises (S09).
func TestVRConfusion(t *testing.T) {
	ds := build(t, new(DataSet).Edit().
		SetBytes(tag.Rows, vr.UL, []byte{0xFF, 0xFF, 0xFF, 0xFF}).
		SetBytes(tag.Columns, vr.OB, []byte{1, 2, 3, 4}).
		SetBytes(tag.PatientName, vr.US, []byte{1, 2, 3, 4}).
		SetBytes(tag.NumberOfFrames, vr.FD, []byte{1, 2, 3, 4}).
		SetBytes(tag.RequestAttributesSequence, vr.OB, []byte{0xFE, 0xFF, 0, 0xE0}).
		SetBytes(tag.SOPInstanceUID, vr.SQ, nil))
	if n, err := ds.Int(tag.Rows); err != nil || n != 0xFFFFFFFF {
		t.Errorf("Rows as UL: %d, %v", n, err)
	}
	if n, err := ds.Int(tag.Columns); err != nil || n != 1 {
		t.Errorf("Columns as OB: %d, %v", n, err)
	}
	if ds.Text(tag.PatientName) != "513" || ds.ItemCount(tag.RequestAttributesSequence) != 0 || ds.UID(tag.SOPInstanceUID) != "" {
		t.Errorf("%q, %d items, %q", ds.Text(tag.PatientName), ds.ItemCount(tag.RequestAttributesSequence), ds.UID(tag.SOPInstanceUID))
	}
	if _, err := ds.Int(tag.NumberOfFrames); err == nil {
		t.Error("half a double is a number")
	}
}

// TestItemBomb bounds what many empty items cost (S08): no more than a few times the bytes
// that were sent, and nothing beyond Limits.
func TestItemBomb(t *testing.T) {
	b := []byte{0x08, 0, 0x40, 0x11, 'S', 'Q', 0, 0, 0xff, 0xff, 0xff, 0xff}
	b = append(b, bytes.Repeat([]byte{0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0}, 500_000)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ds, err := DecodeBytes(b, DecodeOptions{Syntax: uid.ExplicitVRLittleEndian})
	runtime.ReadMemStats(&after)
	if err != nil || ds.ItemCount(0x00081140) != 500_000 {
		t.Fatalf("%d items, %v", ds.ItemCount(0x00081140), err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 50*uint64(len(b)) {
		t.Errorf("%d bytes allocated for %d", grown, len(b))
	}
	_, err = DecodeBytes(b, DecodeOptions{Syntax: uid.ExplicitVRLittleEndian, Limits: Limits{MaxElements: 1000}})
	var limit *LimitError
	if !errors.As(err, &limit) {
		t.Errorf("no limit: %v", err)
	}
}

// TestInflationBomb ends a deflated data set where Limits says (S13).
func TestInflationBomb(t *testing.T) {
	ds := build(t, new(DataSet).Edit().SetBytes(tag.PixelData, vr.OW, make([]byte, 64<<20)))
	b, err := AppendEncode(nil, ds, uid.DeflatedExplicitVRLittleEndian)
	if err != nil || len(b) > 1<<20 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	_, err = DecodeBytes(b, DecodeOptions{Syntax: uid.DeflatedExplicitVRLittleEndian, Limits: Limits{MaxInflated: 1 << 20}})
	var limit *LimitError
	if !errors.As(err, &limit) || limit.Limit != "MaxInflated" {
		t.Errorf("%v", err)
	}
}
