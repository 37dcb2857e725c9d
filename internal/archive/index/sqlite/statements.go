package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// maxStatements is how many statements the readers keep compiled.
const maxStatements = 256

// statements keeps the readers' statements compiled: a search has few shapes and many
// values, and compiling costs more than running it.
type statements struct {
	mu sync.Mutex
	m  map[string]*sql.Stmt
}

// query runs a statement of the readers.
func (x *Index) query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	s, err := x.reads.get(ctx, x.rdb, q)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return x.rdb.QueryContext(ctx, q, args...)
	}
	return s.QueryContext(ctx, args...)
}

// get returns a compiled statement, nil when there are too many.
func (t *statements) get(ctx context.Context, db *sql.DB, q string) (*sql.Stmt, error) {
	t.mu.Lock()
	s, full := t.m[q], len(t.m) >= maxStatements
	t.mu.Unlock()
	if s != nil || full {
		return s, nil
	}
	s, err := db.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		t.m = map[string]*sql.Stmt{}
	}
	if other := t.m[q]; other != nil {
		return other, s.Close()
	}
	t.m[q] = s
	return s, nil
}

func (t *statements) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	for _, s := range t.m {
		err = errors.Join(err, s.Close())
	}
	t.m = nil
	return err
}
