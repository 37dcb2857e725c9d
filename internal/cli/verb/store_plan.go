package verb

import (
	"fmt"
	"slices"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/archive/egress"
	"gantry/ul"
)

// Uncompressed are the syntaxes that turn into each other without an image codec, best
// first.
func Uncompressed() []uid.UID {
	return []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian}
}

func isUncompressed(u uid.UID) bool { return slices.Contains(Uncompressed(), u) }

// batchFiles bounds what is planned for one association.
const batchFiles = 10_000

// sharedBatch is the batch when several associations share the work.
const sharedBatch = 100

// planner gathers objects for one association.
type planner struct {
	o        *Store
	batch    []sending
	contexts []dimse.Context
}

func (p *planner) fits(f sending) bool {
	most := batchFiles
	switch {
	case p.o.Single:
		return true
	case p.o.Jobs > 1:
		most = sharedBatch
	}
	return len(p.batch) < most && len(p.contexts)+len(missing(p.contexts, p.o.contexts(f))) <= ul.MaxContexts
}

func (p *planner) add(f sending) {
	p.contexts = append(p.contexts, missing(p.contexts, p.o.contexts(f))...)
	p.batch = append(p.batch, f)
}

// allows reports whether a syntax may be proposed.
func (o *Store) allows(u uid.UID) bool { return len(o.Allowed) == 0 || slices.Contains(o.Allowed, u) }

// contexts are those that an object needs: its own syntax, and those that it may be turned
// into.
func (o *Store) contexts(f sending) []dimse.Context {
	var syntaxes []uid.UID
	if o.allows(f.syntax) {
		syntaxes = append(syntaxes, f.syntax)
	}
	others := o.Allowed
	if len(others) == 0 {
		others = []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}
		if isUncompressed(f.syntax) {
			others = others[1:]
		}
	}
	for _, u := range others {
		if u != f.syntax && o.may(f.syntax, u) == nil {
			syntaxes = append(syntaxes, u)
		}
	}
	if o.Combine && len(syntaxes) > 0 {
		return []dimse.Context{{Class: f.class, Syntaxes: syntaxes}}
	}
	var out []dimse.Context
	for _, u := range syntaxes {
		out = append(out, dimse.Context{Class: f.class, Syntaxes: []uid.UID{u}})
	}
	return out
}

// may says why an object must not, or cannot, be sent in another syntax than its own.
func (o *Store) may(from, to uid.UID) error {
	if isUncompressed(from) && isUncompressed(to) {
		return nil
	}
	i, known := from.SyntaxInfo()
	switch {
	case o.Decoding == DecodeNever:
		return fmt.Errorf("the peer does not take %s, and it must not be transcoded", from.Name())
	case o.Decoding == DecodeLossless && i.Lossy:
		return fmt.Errorf("the peer does not take %s, and what is compressed with loss must not be decoded", from.Name())
	case !known || i.Video || i.Referenced || !isUncompressed(to) && !slices.Contains(egress.Compressed(), to):
		return fmt.Errorf("the peer does not take %s, and Gantry cannot turn it into %s", from.Name(), to.Name())
	}
	return nil
}

// missing are the wanted contexts that are not there yet.
func missing(have, wanted []dimse.Context) []dimse.Context {
	var out []dimse.Context
	for _, w := range wanted {
		same := func(c dimse.Context) bool { return c.Class == w.Class && slices.Equal(c.Syntaxes, w.Syntaxes) }
		if !slices.ContainsFunc(have, same) {
			out = append(out, w)
		}
	}
	return out
}

// plan is the contexts of a batch.
func (o *Store) plan(batch []sending) ([]dimse.Context, error) {
	var out []dimse.Context
	for _, f := range batch {
		out = append(out, missing(out, o.contexts(f))...)
	}
	if len(out) > ul.MaxContexts {
		return nil, fmt.Errorf("%d presentation contexts are more than one association has", len(out))
	}
	return out, nil
}
