package sqlite

import (
	"context"
	"errors"

	"gantry/internal/archive/index"
)

// An index may lag behind the log on disk (Options.Lag): what Commit applies is in the log
// already and synced there, so that its transactions need no sync of their own. After a power
// cut SQLite's log has lost a suffix at most, the index is as it was after some record, and
// what the log has behind that is applied again. Whatever else is written is written with a
// sync, which covers all before it.

// How far the index may lag: it bounds what is applied again.
const (
	mostLagging      = 10_000   // records
	mostLaggingBytes = 64 << 20 // of what is kept of them
)

// lag counts what was applied since the last sync.
type lag struct {
	on      bool
	records int
	bytes   int64
}

// due adds entries, and reports whether their transaction is to be synced.
func (l *lag) due(entries []index.Entry) bool {
	l.records += len(entries)
	for i := range entries {
		l.bytes += int64(len(entries[i].Attrs))
	}
	return !l.on || l.records > mostLagging || l.bytes > mostLaggingBytes
}

// apply runs f in a write transaction, with a sync only where one is due.
func (x *Index) apply(ctx context.Context, entries []index.Entry, f func() error) (err error) {
	if x.lag.due(entries) {
		if err := x.transaction(ctx, f); err != nil {
			return err
		}
		x.lag.records, x.lag.bytes = 0, 0
		return nil
	}
	if x.closed {
		return index.ErrClosed
	}
	if _, err := x.w.ExecContext(ctx, "PRAGMA synchronous = NORMAL"); err != nil {
		return err
	}
	defer func() {
		_, back := x.w.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous = FULL")
		err = errors.Join(err, back)
	}()
	return x.transaction(ctx, f)
}
