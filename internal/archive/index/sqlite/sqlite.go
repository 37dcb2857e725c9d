// Package sqlite is the index of a single machine: SQLite in WAL mode with
// synchronous=FULL, one writer, a few readers.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver

	"gantry/dicom/tag"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
)

// Options configure an Index; the zero value is what `gantry serve` uses.
type Options struct {
	Readers     int   // connections for reading; 0 is 4
	WriterCache int64 // bytes; 0 is 16 MiB
	ReaderCache int64 // bytes of each reader; 0 is 2 MiB

	// Extra are attributes that searches find by a table of their own, which Fill makes
	// for instances that are here already. Nil leaves those of the file as they are.
	Extra []tag.Tag

	// Lag lets what Commit applies be lost in a power cut, up to a bound: for a log that is
	// synced before and replayed after.
	Lag bool
}

// Index is an index.Index in an SQLite file. It is safe for concurrent use.
type Index struct {
	name     string // of the file
	wdb, rdb *sql.DB
	feed     atomic.Uint64 // number of the last committed change
	reads    statements
	bases    bases

	namesReady atomic.Bool // the names are complete
	wordsReady atomic.Bool // so are their words
	extra      atomic.Pointer[extras]

	mu     sync.Mutex // the writer: all below
	w      *sql.Conn
	stmts  map[string]*sql.Stmt
	cache  cache
	state  position
	lag    lag
	closed bool
}

type position struct {
	applied record.Position
	feed    uint64
}

var _ index.Index = (*Index)(nil)

// Open opens the index in a file, which it makes when missing, and brings its schema up
// to date.
func Open(ctx context.Context, name string, o Options) (_ *Index, err error) {
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.WriterCache <= 0 {
		o.WriterCache = 16 << 20
	}
	if o.ReaderCache <= 0 {
		o.ReaderCache = 2 << 20
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	x := &Index{name: abs, stmts: map[string]*sql.Stmt{}, lag: lag{on: o.Lag}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("index %s: %w", name, err), x.Close())
		}
	}()
	if x.wdb, err = connect(abs, o.WriterCache, 1, "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(67108864)"); err != nil {
		return nil, err
	}
	if x.w, err = x.wdb.Conn(ctx); err != nil {
		return nil, err
	}
	if err = migrate(ctx, x.w); err != nil {
		return nil, err
	}
	if err = x.load(ctx); err != nil {
		return nil, err
	}
	if err = x.prepare(ctx, o.Extra); err != nil {
		return nil, err
	}
	x.rdb, err = connect(abs, o.ReaderCache, o.Readers, "query_only(1)")
	return x, err
}

// prepare brings what is derived from the instances in line with the program and the
// configuration, as far as that takes no reading of them; the rest is Fill's.
func (x *Index) prepare(ctx context.Context, extra []tag.Tag) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.beginFill(ctx); err != nil {
		return err
	}
	if err := x.loadExtra(ctx); err != nil || extra == nil {
		return err
	}
	if err := x.setExtra(ctx, extra); err != nil {
		return err
	}
	return x.loadExtra(ctx)
}

func connect(name string, cache int64, most int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{}
	pragmas = append(pragmas, "busy_timeout(10000)", fmt.Sprintf("cache_size(-%d)", max(cache/1024, 64)), "temp_store(MEMORY)", "mmap_size(0)")
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(name), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(0)
	return db, nil
}

// load reads how far the index is.
func (x *Index) load(ctx context.Context) error {
	var seg, feed int64
	row := x.w.QueryRowContext(ctx, "SELECT segment, offset, feed FROM state")
	if err := row.Scan(&seg, &x.state.applied.Offset, &feed); err != nil {
		return err
	}
	x.state.applied.Segment, x.state.feed = uint64(seg), uint64(feed)
	x.feed.Store(x.state.feed)
	return nil
}

// CopyTo writes a consistent copy of the index to a file that must not be there. The
// archive may be at work meanwhile.
func (x *Index) CopyTo(ctx context.Context, name string) error {
	db, err := connect(x.name, 0, 1) // of its own: readers may write nothing, and the writer shall not wait
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", name)
	return errors.Join(err, db.Close())
}

// Feed returns the number of the last change that was committed.
func (x *Index) Feed() uint64 { return x.feed.Load() }

// Close implements index.Index.
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	err := x.reads.close()
	if x.rdb != nil {
		err = errors.Join(err, x.rdb.Close())
	}
	for _, s := range x.stmts {
		err = errors.Join(err, s.Close())
	}
	if x.w != nil {
		err = errors.Join(err, x.w.Close())
	}
	if x.wdb != nil {
		err = errors.Join(err, x.wdb.Close())
	}
	return err
}

// stmt prepares a statement of the writer once.
func (x *Index) stmt(ctx context.Context, q string) (*sql.Stmt, error) {
	if s := x.stmts[q]; s != nil {
		return s, nil
	}
	s, err := x.w.PrepareContext(ctx, q)
	if err == nil {
		x.stmts[q] = s
	}
	return s, err
}

func (x *Index) exec(ctx context.Context, q string, args ...any) (sql.Result, error) {
	s, err := x.stmt(ctx, q)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// row reads one row of the writer; found is false when there is none.
func (x *Index) row(ctx context.Context, q string, args []any, dst ...any) (found bool, err error) {
	s, err := x.stmt(ctx, q)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(ctx, args...).Scan(dst...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// State implements index.Index.
func (x *Index) State(ctx context.Context) (index.State, error) {
	var s index.State
	var seg, feed int64
	q := `SELECT segment, offset, feed, (SELECT count(*) FROM quarantine), versions, patients, studies, series, instances, bytes FROM state`
	err := x.rdb.QueryRowContext(ctx, q).Scan(&seg, &s.Applied.Offset, &feed, &s.Quarantined, &s.Versions,
		&s.Patients, &s.Studies, &s.Series, &s.Instance, &s.Bytes)
	s.Applied.Segment, s.Feed = uint64(seg), uint64(feed)
	return s, x.tell(err)
}

// tell makes errors of a closed database index.ErrClosed.
func (x *Index) tell(err error) error {
	if err == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return fmt.Errorf("%w: %w", index.ErrClosed, err)
	}
	return err
}

// Reset implements index.Index.
func (x *Index) Reset(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cache.clear()
	err := x.transaction(ctx, func() error {
		for _, t := range []string{"patient", "patient_name", "study", "series", "base", "instance", "reference", "change", "quarantine", "deleted", "damaged", "settled", "name", "word", "name_word", "extra", "fill", "generation", "fact"} {
			if _, err := x.w.ExecContext(ctx, "DELETE FROM "+t); err != nil {
				return err
			}
		}
		if _, err := x.w.ExecContext(ctx, "INSERT INTO word_token (word_token) VALUES ('delete-all')"); err != nil {
			return err
		}
		_, err := x.w.ExecContext(ctx, `UPDATE state SET segment = 0, offset = 0, feed = 0, scrub = 0, settled = 9223372036854775807,
			versions = 0, patients = 0, studies = 0, series = 0, instances = 0, bytes = 0`) // what comes back is no news
		return err
	})
	if err == nil {
		x.state = position{}
		x.feed.Store(0)
		x.bases.clear()
		err = x.loadExtra(ctx)
	}
	return err
}

// transaction runs f in a write transaction, with mu held.
func (x *Index) transaction(ctx context.Context, f func() error) error {
	if x.closed {
		return index.ErrClosed
	}
	if _, err := x.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := f()
	if err == nil {
		_, err = x.exec(ctx, "COMMIT")
	}
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_, _ = x.exec(ctx, "ROLLBACK") // fails when SQLite has rolled back itself
		x.cache.clear()
	}
	return err
}
