package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"gantry/internal/archive/fsck"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
	"gantry/internal/archive/scrub"
	"gantry/internal/config"
	"gantry/internal/obs"
)

// Repair is what is to be done about the findings of a check.
type Repair struct {
	Reindex bool           // the index is made again from the log
	Mend    []fsck.Finding // objects whose bytes are looked for elsewhere
	Orphans []fsck.Finding // files to be removed
	Left    []fsck.Finding // what only a person can decide on
}

// PlanOf makes the plan. Files without a record stay while a record of the log is damaged:
// one of them may be its object.
func PlanOf(found []fsck.Finding) *Repair {
	r := new(Repair)
	damagedLog := false
	for _, f := range found {
		switch f.Kind {
		case fsck.NotIndexed, fsck.Differs:
			r.Reindex = true
		case fsck.DamagedObject:
			r.Mend = append(r.Mend, f)
		case fsck.DamagedRecord:
			if damagedLog = true; f.Instance != "" {
				r.Mend = append(r.Mend, f)
				continue
			}
			r.Left = append(r.Left, f)
		case fsck.Orphan:
			r.Orphans = append(r.Orphans, f)
		default:
			r.Left = append(r.Left, f)
		}
	}
	if damagedLog {
		r.Orphans, r.Left = nil, append(r.Left, r.Orphans...)
	}
	return r
}

// Print writes the plan, a line for each step.
func (r *Repair) Print(w io.Writer, backup string) {
	if r.Reindex {
		fmt.Fprintln(w, "plan: make the index again from the log")
	}
	copies := "another version"
	if backup != "" {
		copies += " or " + backup
	}
	for _, f := range r.Mend {
		fmt.Fprintf(w, "plan: mend instance %s, record %s, from %s, if its bytes are there\n", f.Instance, f.Record, copies)
	}
	for _, f := range r.Orphans {
		fmt.Fprintf(w, "plan: remove the file without a record at %s\n", f.Ref)
	}
	for _, f := range r.Left {
		fmt.Fprintf(w, "plan: leave as it is: %s, record %s, at %s\n", f.Kind, f.Record, f.Ref)
	}
}

// Run does what is planned on a stopped archive. After a reindex it looks again first.
func (r *Repair) Run(ctx context.Context, c *config.Config, console io.Writer) error {
	if r.Reindex {
		if _, err := Reindex(ctx, c, console); err != nil {
			return err
		}
		var found []fsck.Finding
		if _, err := Check(ctx, c, console, fsck.Options{Report: func(f fsck.Finding) { found = append(found, f) }}); err != nil {
			return err
		}
		again := PlanOf(found)
		r.Mend, r.Orphans = again.Mend, again.Orphans
	}
	if len(r.Mend)+len(r.Orphans) == 0 {
		return nil
	}
	log, err := obs.NewLog(console, "", c.Logging.Level)
	if err != nil {
		return err
	}
	a := &archive{dir: c.Storage.Directory}
	if err := a.openIndex(ctx, c); err != nil {
		return errors.Join(err, a.close())
	}
	st, err := a.index.State(ctx)
	if err == nil {
		err = a.openStore(ctx, c, log.Logger, st.Applied)
	}
	if err == nil {
		s := &scrub.Scrubber{Store: a.store, Index: a.index, Guard: &scrub.Guard{Opener: a.store}, Backup: c.Storage.RepairFrom, Now: time.Now, Log: log.Logger}
		err = r.apply(ctx, a, s)
	}
	return errors.Join(err, a.close())
}

func (r *Repair) apply(ctx context.Context, a *archive, s *scrub.Scrubber) error {
	for _, f := range r.Mend {
		kept, err := a.index.Kept(ctx, f.Instance)
		if err != nil {
			return err
		}
		if l := locate(kept, f.Record); l != nil {
			if err := s.Damage(ctx, l, kept, errors.New(f.Reason)); err != nil {
				return err
			}
		}
	}
	for _, f := range r.Orphans {
		if err := a.store.Erase(ctx, f.Ref); err != nil {
			return err
		}
	}
	return nil
}

func locate(kept []index.Location, id record.ID) *index.Location {
	for i := range kept {
		if kept[i].Record == id {
			return &kept[i]
		}
	}
	return nil
}
