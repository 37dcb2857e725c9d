package dimsefront

import (
	"context"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/archive/egress"
	"gantry/internal/archive/index"
	"gantry/internal/archive/ingest"
)

// storeBy stores an object by a rule. Success is answered when all that the rule makes of
// it is durable. Where the rule cannot be followed the object is kept as it came, and that
// is no failure for the sender.
func (f *Front) storeBy(ctx context.Context, rule egress.Rule, in *dimse.Incoming) error {
	o, err := f.gate().Take(ctx, in.Body, in.Syntax)
	if o == nil {
		return storeStatus(err)
	}
	defer o.Close()
	if err != nil { // ingest says what is wrong with it
		_, err = f.ingest(ctx, hint(in), o.Body())
		return err
	}
	out, err := f.keep(ctx, rule.StoreAs, in, o)
	if err != nil || rule.Derive == "" || !o.HasPixels() {
		return err
	}
	if out.Kind == ingest.Identical && f.has(ctx, o.Derived(&rule)) {
		return nil // the first time may have ended in between
	}
	if err := f.derive(ctx, &rule, in, o); err != nil {
		f.unruled(in.Instance, err)
	}
	return nil
}

// keep stores what came, in another transfer syntax where the rule says so.
func (f *Front) keep(ctx context.Context, as uid.UID, in *dimse.Incoming, o *egress.Object) (ingest.Outcome, error) {
	if as == "" || as == in.Syntax || !o.HasPixels() {
		return f.ingest(ctx, hint(in), o.Body())
	}
	body, err := f.gate().Open(ctx, o.DataSet, in.Syntax, as)
	if err != nil {
		f.unruled(in.Instance, err)
		return f.ingest(ctx, hint(in), o.Body())
	}
	defer body.Close()
	h := hint(in)
	h.Syntax, h.Came = as, in.Syntax
	return f.ingest(ctx, h, body)
}

// has reports whether an instance is in the archive.
func (f *Front) has(ctx context.Context, instance uid.UID) bool {
	for _, err := range f.Index.Select(ctx, index.Selector{Instances: []uid.UID{instance}}) {
		return err == nil
	}
	return false
}

// derive stores the object that the rule makes of an image.
func (f *Front) derive(ctx context.Context, rule *egress.Rule, in *dimse.Incoming, o *egress.Object) error {
	did, body, err := f.gate().Derive(ctx, o, rule)
	if err != nil {
		return err
	}
	defer body.Close()
	h := hint(in)
	h.Instance, h.Syntax = did.Instance, rule.Derive
	_, err = f.ingest(ctx, h, body)
	return err
}

func (f *Front) unruled(instance uid.UID, err error) {
	if f.Unruled != nil {
		f.Unruled(instance, err)
	}
}
