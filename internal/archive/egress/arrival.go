package egress

import (
	"context"
	"crypto/sha256"
	"io"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// Rule says what becomes of what somebody sends. The zero Rule keeps it as it comes.
type Rule struct {
	StoreAs uid.UID // transfer syntax that it is kept in, one that loses nothing
	Derive  uid.UID // transfer syntax of another object that is made of each image
	Quality int     // of the derived object, see pixel.Lossy
	Near    int
}

// Any reports whether the rule asks for anything.
func (r *Rule) Any() bool { return r.StoreAs != "" || r.Derive != "" }

// Object is a data set that is kept at hand, in memory or in a temporary file.
type Object struct {
	DataSet *dicom.DataSet
	Syntax  uid.UID
	s       *spool
}

// Take reads a data set to its end and keeps it at hand. Errors are those of body, of ctx, of
// Gate.Room, and of a data set that cannot be read; what was read can be had as it came by Body all
// the same when the Object is not nil.
func (g *Gate) Take(ctx context.Context, body io.Reader, syntax uid.UID) (*Object, error) {
	o := &Object{Syntax: syntax, s: g.spool(ctx)}
	if _, err := io.Copy(o.s, body); err != nil {
		o.Close()
		return nil, err
	}
	var err error
	o.DataSet, err = dicom.DecodeAt(o.s, o.s.n, dicom.DecodeOptions{Syntax: syntax})
	return o, err
}

// Body returns the bytes as they came.
func (o *Object) Body() io.Reader { return io.NewSectionReader(o.s, 0, o.s.n) }

// Close lets go of what is kept.
func (o *Object) Close() error { return o.s.Close() }

// HasPixels reports whether there is an image in it.
func (o *Object) HasPixels() bool {
	_, ok := o.DataSet.Get(tag.PixelData)
	return ok
}

// Derive makes another object of an image, as the rule says: with a SOP Instance UID of its
// own, the same each time (PS3.3 C.7.6.1.1.5, C.12.4.1.1).
func (g *Gate) Derive(ctx context.Context, o *Object, r *Rule) (pixel.Result, io.ReadCloser, error) {
	return g.transcode(ctx, o.DataSet, o.Syntax, r.Derive, pixel.Options{
		Lossy: &pixel.Lossy{Quality: r.Quality, Near: r.Near}, NewUID: func() uid.UID { return o.Derived(r) }})
}

// Derived is the SOP Instance UID of what Derive makes.
func (o *Object) Derived(r *Rule) uid.UID {
	return derived(o.DataSet.UID(tag.SOPInstanceUID), r.Derive)
}

// derived names what is made of an object by a UUID of their names (PS3.5 B.2).
func derived(instance, to uid.UID) uid.UID {
	sum := sha256.Sum256([]byte("derived " + string(instance) + " " + string(to)))
	id := [16]byte(sum[:])
	id[6], id[8] = id[6]&0x0F|0x80, id[8]&0x3F|0x80
	return uid.FromUUID(id)
}
