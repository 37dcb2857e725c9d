package verb

import (
	"context"
	"slices"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
	"gantry/ul"
)

// getContexts proposes storage classes as their provider. A context has one answer, so each
// class wants one for native pixels and one for each compression. The association has room
// for 128: with the classes known, as many compressions as fit are proposed for each;
// without, the classes of images and reports, native. With preferred syntaxes there is one
// context for a class.
func getContexts(own dimse.Context, prefer, classes []uid.UID) []dimse.Context {
	out := []dimse.Context{own}
	compressions := compressed()
	if len(classes) == 0 {
		classes, compressions = usualClasses(), nil
	}
	syntaxes := []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian}
	if len(prefer) > 0 {
		syntaxes, compressions = prefer, nil
	}
	classes = classes[:min(len(classes), ul.MaxContexts-1)]
	for _, u := range classes {
		out = append(out, dimse.Context{Class: u, Syntaxes: syntaxes, SCP: true})
	}
	for _, s := range compressions {
		if len(out)+len(classes) > ul.MaxContexts {
			break
		}
		for _, u := range classes {
			out = append(out, dimse.Context{Class: u, Syntaxes: []uid.UID{s}, SCP: true})
		}
	}
	return out
}

// compressed are the syntaxes that objects are met in, the frequent ones first.
func compressed() []uid.UID {
	return []uid.UID{
		uid.JPEGLosslessSV1, uid.JPEGBaseline8Bit, uid.JPEG2000Lossless, uid.JPEG2000, uid.JPEGLSLossless, uid.RLELossless,
		uid.JPEGExtended12Bit, uid.JPEGLSNearLossless, uid.DeflatedExplicitVRLittleEndian, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K,
		uid.JPEGLossless, uid.MPEG4HP41, uid.MPEG2MPML, uid.MPEG2MPHL, uid.MPEG4HP41BD, uid.HEVCMP51,
		uid.JPEGXLLossless, uid.JPEGXL, uid.JPEGXLJPEGRecompression, uid.EncapsulatedUncompressedExplicitVRLittleEndian, uid.DeflatedImageFrameCompression,
	}
}

// usualClasses are the storage classes in use, those of images and reports first.
func usualClasses() []uid.UID {
	var usual, rare []uid.UID
	for u := range uid.StorageClasses() {
		if info, _ := uid.Lookup(u); info.Retired {
			continue
		}
		if isRare(u) {
			rare = append(rare, u)
		} else {
			usual = append(usual, u)
		}
	}
	return append(usual, rare...)
}

// isRare reports whether a storage class comes last: non-patient objects, eye measurements
// and the like.
func isRare(u uid.UID) bool {
	const root = "1.2.840.10008.5.1.4.1.1."
	rest, ok := strings.CutPrefix(string(u), root)
	if !ok {
		return true
	}
	for _, family := range []string{"78.", "79.", "80.", "81.", "82.", "131", "200.", "201.", "68.", "77.1.5.", "9.100.", "13.1.3", "601."} {
		if strings.HasPrefix(rest+".", family) {
			return true
		}
	}
	return false
}

// classesOf asks the peer which SOP classes the wanted studies have. A peer that cannot
// tell is no failure: the usual classes are proposed then.
func (o *Retrieve) classesOf(ctx context.Context, wanted *dicom.DataSet) []uid.UID {
	class, err := o.class(finds)
	if err != nil || o.Model == "patient-study" {
		return nil
	}
	ask, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetBytes(tag.SOPClassesInStudy, vr.UI, nil).
		SetText(tag.PatientID, wanted.Texts(tag.PatientID)...).SetText(tag.StudyInstanceUID, wanted.Texts(tag.StudyInstanceUID)...).Build()
	if err != nil {
		return nil
	}
	a, err := o.dial(ctx, []dimse.Context{{Class: class}})
	if err != nil {
		return nil
	}
	defer a.Abort()
	var out []uid.UID
	for ds, err := range a.Find(ctx, class, ask) {
		if err != nil {
			return nil
		}
		for _, s := range ds.Texts(tag.SOPClassesInStudy) {
			if u := uid.UID(s); u.Valid() && !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	release(ctx, a)
	return out
}
