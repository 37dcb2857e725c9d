package pixel

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/value"
	"gantry/dicom/vr"
)

// parts returns the elements in front of and behind Pixel Data, with all that follows
// from the new form. extended has the lengths of the frames where an Extended Offset Table
// is wanted; coded is the size of all encoded frames, if that is known.
func (t *transcoder) parts(ctx context.Context, extended []int64, coded int64) (head, tail *dicom.DataSet, err error) {
	h, l := t.ds.Edit(), t.ds.Edit()
	for e := range t.ds.All() {
		if e.Tag >= tag.ExtendedOffsetTable {
			h.Delete(e.Tag)
		}
		if e.Tag <= tag.PixelData {
			l.Delete(e.Tag)
		}
	}
	if extended != nil {
		offsets, sizes := extendedTable(extended)
		h.SetBytes(tag.ExtendedOffsetTable, vr.OV, offsets).SetBytes(tag.ExtendedOffsetTableLengths, vr.OV, sizes)
	}
	if _, err := t.nested(ctx, h, 0, tag.ExtendedOffsetTable); err != nil {
		return nil, nil, err
	}
	if _, err := t.nested(ctx, l, tag.PixelData, lastTag); err != nil {
		return nil, nil, err
	}
	t.imagePixel(h)
	t.history(h, coded)
	if head, err = h.Build(); err == nil {
		tail, err = l.Build()
	}
	return head, tail, err
}

// imagePixel sets the attributes of PS3.3 C.7.6.3 that the new form changes.
func (t *transcoder) imagePixel(e *dicom.Editor) {
	p := t.form.Photometric
	if t.enc != nil {
		p = t.enc.Photometric(t.form, t.o.Lossy)
	}
	if p != t.ds.Text(tag.PhotometricInterpretation) {
		e.SetText(tag.PhotometricInterpretation, p)
	}
	if t.form.Samples > 1 {
		e.SetInt(tag.PlanarConfiguration, 0)
	}
}

// history records lost information: the attributes of PS3.3 C.7.6.1.1.5, and those of a
// derived image (C.7.6.1.1.2, C.12.4).
func (t *transcoder) history(e *dicom.Editor, coded int64) {
	native := t.form.FrameSize() * int64(t.form.Frames)
	if t.decoded.Lossy && t.ds.Text(tag.LossyImageCompression) != "01" {
		t.lossy(e, native, t.stored(), t.decoded.Method)
	}
	if !t.result.Derived {
		return
	}
	method := "ISO_10918_1"
	switch t.target {
	case uid.JPEGLSNearLossless:
		method = "ISO_14495_1"
	case uid.JPEG2000:
		method = "ISO_15444_1"
	case uid.HTJ2K:
		method = "ISO_15444_15"
	}
	t.lossy(e, native, coded, method)
	e.SetUID(tag.SOPInstanceUID, t.result.Instance)
	kinds := t.ds.Texts(tag.ImageType)
	if len(kinds) > 0 {
		kinds[0] = "DERIVED"
		e.SetText(tag.ImageType, kinds...)
	}
	e.SetText(tag.DerivationDescription, t.derivation())
	e.SetItems(tag.SourceImageSequence, t.source())
	e.SetItems(tag.DerivationCodeSequence, code("113040", "Lossy Compression"))
}

// stored is the size of the encoded frames that the object came with.
func (t *transcoder) stored() (n int64) {
	for k := 1; k < t.src.elem.FragmentCount(); k++ {
		n += t.src.elem.Fragment(k).Len()
	}
	return n
}

// lossy appends a step to the history of compression.
func (t *transcoder) lossy(e *dicom.Editor, native, coded int64, method string) {
	ratio, err := value.FormatDS(float64(native) / float64(max(coded, 1)))
	if err != nil {
		ratio = "1"
	}
	e.SetText(tag.LossyImageCompression, "01")
	e.SetText(tag.LossyImageCompressionRatio, append(t.ds.Texts(tag.LossyImageCompressionRatio), ratio)...)
	e.SetText(tag.LossyImageCompressionMethod, append(t.ds.Texts(tag.LossyImageCompressionMethod), method)...)
}

const maxST = 1024 // characters (PS3.5 Table 6.2-1)

func (t *transcoder) derivation() string {
	s := fmt.Sprintf("Lossy compression: %s, quality %d", t.target.Name(), orDefault(t.o.Lossy.Quality, defaultQuality))
	if t.target == uid.JPEGLSNearLossless {
		s = fmt.Sprintf("Lossy compression: %s, near %d", t.target.Name(), orDefault(t.o.Lossy.Near, defaultNear))
	}
	if before := t.ds.Text(tag.DerivationDescription); before != "" && len(before)+len(s)+2 <= maxST {
		s = before + "; " + s
	}
	return s
}

func orDefault(v, def int) int {
	if v == 0 {
		return def
	}
	return v
}

const (
	defaultQuality = 90
	defaultNear    = 2
)

// source refers to the object that the result is derived from.
func (t *transcoder) source() *dicom.DataSet {
	e := new(dicom.DataSet).Edit()
	e.SetUID(tag.ReferencedSOPClassUID, t.result.Class)
	e.SetUID(tag.ReferencedSOPInstanceUID, t.ds.UID(tag.SOPInstanceUID))
	e.SetItems(tag.PurposeOfReferenceCodeSequence, code("121320", "Uncompressed predecessor"))
	ds, _ := e.Build() // UIDs and codes of this package: nothing can fail
	return ds
}

// code is an item with a code of PS3.16 annex D.
func code(v, meaning string) *dicom.DataSet {
	e := new(dicom.DataSet).Edit()
	e.SetText(tag.CodeValue, v).SetText(tag.CodingSchemeDesignator, "DCM").SetText(tag.CodeMeaning, meaning)
	ds, _ := e.Build()
	return ds
}

const lastTag tag.Tag = 0xFFFFFFFF

// nested decodes encapsulated pixel data inside of sequences, as icons have, which must
// not stay in the old syntax. Native form is allowed there in every syntax (PS3.5 A.4). It
// looks at the sequences from one tag up to, and without, another.
func (t *transcoder) nested(ctx context.Context, e *dicom.Editor, from, to tag.Tag) (changed bool, err error) {
	for path, el := range t.ds.Walk() {
		if len(path) == 0 || path[0].Tag < from || path[0].Tag >= to || !el.IsEncapsulated() {
			continue
		}
		item, ok := t.ds.At(path)
		if !ok {
			continue
		}
		if err := t.icon(ctx, e.At(slices.Clone(path)), item); err != nil {
			return false, fmt.Errorf("%v: %w", path, err)
		}
		changed = true
	}
	return changed, nil
}

// icon makes the pixel data of an item native.
func (t *transcoder) icon(ctx context.Context, e *dicom.Editor, item *dicom.DataSet) error {
	sub := &transcoder{ds: item, from: t.from, target: uid.ExplicitVRLittleEndian, o: t.o}
	sub.o.Lossy = nil
	sub.to, _ = sub.target.SyntaxInfo()
	if err := sub.plan(); err != nil {
		return err
	}
	if sub.src == nil {
		return nil
	}
	n := sub.form.FrameSize()
	if n > (maxIcons-t.icons)/int64(sub.form.Frames) {
		return FormatError(fmt.Sprintf("%d frames of %d bytes inside of a sequence: %d bytes are allowed in all", sub.form.Frames, n, maxIcons))
	}
	t.icons += n * int64(sub.form.Frames)
	if err := sub.start(ctx); err != nil {
		return err
	}
	var b bytes.Buffer
	bits := bitWriter{w: &b}
	if err := sub.each(ctx, func(px []byte) error { return bits.write(px, sub.form.FrameBits()) }); err != nil {
		return err
	}
	if err := bits.close(0); err != nil {
		return err
	}
	sub.imagePixel(e)
	v := vr.OB
	if sub.form.BitsAllocated > 8 {
		v = vr.OW
	}
	e.SetBytes(tag.PixelData, v, b.Bytes())
	return nil
}

const maxIcons = 64 << 20 // bytes of all icons of an object, which memory must hold

// meta is the file meta information of the result: that of f with the new syntax.
func (t *transcoder) meta(f *part10.File) (*dicom.DataSet, error) {
	if f.Meta.Len() == 0 {
		return part10.MetaInfo{Class: t.result.Class, Instance: t.result.Instance, Syntax: t.target}.Meta()
	}
	e := f.Meta.Edit()
	e.SetBytes(tag.FileMetaInformationVersion, vr.OB, []byte{0, 1})
	e.SetUID(tag.TransferSyntaxUID, t.target)
	if t.result.Instance != "" {
		e.SetUID(tag.MediaStorageSOPInstanceUID, t.result.Instance)
	}
	e.SetUID(tag.ImplementationClassUID, part10.ImplementationClassUID)
	e.SetText(tag.ImplementationVersionName, part10.ImplementationVersionName)
	return part10.WithGroupLength(e)
}
