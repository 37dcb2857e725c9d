package capture

import (
	"encoding/binary"
	"fmt"
	"io"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

// Write writes the object as a DICOM file, or as a data set alone. ds is what Attributes
// returned, changed as wanted; native is the transfer syntax of what is not coded.
func (ob *Object) Write(w io.Writer, ds *dicom.DataSet, native uid.UID, bare bool) error {
	syntax := ob.Syntax
	if syntax == "" {
		syntax = native
	}
	e := ds.Edit()
	if ob.native != nil {
		kind := vr.OW
		if ob.Desc.BitsAllocated == 8 && syntax != uid.ImplicitVRLittleEndian {
			kind = vr.OB
		}
		e.SetBytes(tag.PixelData, kind, ob.native)
	}
	ds, err := e.Build()
	if err != nil {
		return err
	}
	if bare {
		err = dicom.Encode(w, ds, syntax)
	} else {
		var meta *dicom.DataSet
		if meta, err = (part10.MetaInfo{Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Syntax: syntax}).Meta(); err == nil {
			err = part10.Write(w, meta, ds, syntax)
		}
	}
	if err != nil || ob.coded == nil {
		return err
	}
	return ob.writeFrames(w)
}

// writeFrames writes the pixel data behind all other elements, one fragment a frame (PS3.5
// A.4). It can be done once.
func (ob *Object) writeFrames(w io.Writer) error {
	// Pixel Data, OB of undefined length, and the item of the Basic Offset Table.
	head := []byte("\xE0\x7F\x10\x00OB\x00\x00\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0")
	head = binary.LittleEndian.AppendUint32(head, uint32(4*len(ob.offsets())))
	for _, at := range ob.offsets() {
		head = binary.LittleEndian.AppendUint32(head, uint32(at))
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for i, r := range ob.coded {
		size := ob.sizes[i]
		if size > maxFragment {
			return wrong("frame %d has %d bytes, one fragment holds %d", i+1, size, uint32(maxFragment))
		}
		if _, err := w.Write(binary.LittleEndian.AppendUint32([]byte("\xFE\xFF\x00\xE0"), uint32(size+size%2))); err != nil {
			return err
		}
		n, err := io.Copy(w, r)
		if err == nil && n != size {
			err = fmt.Errorf("frame %d: %d of %d bytes could be read", i+1, n, size)
		}
		if err == nil && size%2 == 1 {
			_, err = w.Write([]byte{0})
		}
		if err != nil {
			return err
		}
	}
	_, err := w.Write([]byte("\xFE\xFF\xDD\xE0\x00\x00\x00\x00"))
	return err
}

// offsets are those of the Basic Offset Table; a single frame needs none, and none is written
// where they reach 4 GiB.
func (ob *Object) offsets() []int64 {
	if len(ob.coded) == 1 {
		return nil
	}
	at, out := int64(0), make([]int64, 0, len(ob.sizes))
	for _, n := range ob.sizes {
		out = append(out, at)
		if at += 8 + n + n%2; at > maxFragment {
			return nil
		}
	}
	return out
}
