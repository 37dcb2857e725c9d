package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/compact"
	"gantry/internal/archive/egress"
	"gantry/internal/archive/fsck"
	"gantry/internal/archive/index"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
	"gantry/internal/archive/record"
	"gantry/internal/archive/scrub"
	"gantry/internal/config"
	"gantry/internal/front/dimsefront"
	"gantry/internal/obs"
	"gantry/internal/tlsconf"
	"gantry/service/retrieve"
)

// archive is the object store, its index and the way in.
type archive struct {
	index  *sqlite.Index
	store  *fsblob.Store
	ingest *ingest.Ingester
	dir    string
}

// openArchive opens index and store and applies what the log has more than the index. An
// index that is missing beside a log is made again from it.
func openArchive(ctx context.Context, c *config.Config, log *slog.Logger, o ingest.Options) (_ *archive, err error) {
	a := &archive{dir: c.Storage.Directory}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if err := a.openIndex(ctx, c); err != nil {
		return nil, err
	}
	st, err := a.index.State(ctx)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	if err := a.openStore(ctx, c, log, st.Applied); err != nil {
		return nil, err
	}
	a.ingest, err = ingest.New(ctx, a.store, a.index, o)
	return a, err
}

func (a *archive) openIndex(ctx context.Context, c *config.Config) error {
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return fmt.Errorf("storage folder: %w", err)
	}
	db := c.Database.Path
	if db == "" {
		db = filepath.Join(a.dir, "index.db")
	}
	if err := os.MkdirAll(filepath.Dir(db), 0o700); err != nil {
		return fmt.Errorf("index folder: %w", err)
	}
	extra, err := extraOf(c)
	if err != nil {
		return err
	}
	if a.index, err = sqlite.Open(ctx, db, sqlite.Options{Extra: extra, Lag: c.Index.Sync == "log"}); err != nil {
		return fmt.Errorf("index %s: %w", db, err)
	}
	objects, err := elsewhere(a.dir, db)
	if err == nil {
		err = a.index.SetObjects(ctx, objects)
	}
	return err
}

// extraOf reads the attributes that are indexed beside the usual keys; they are never nil.
func extraOf(c *config.Config) ([]tag.Tag, error) {
	out := []tag.Tag{}
	for _, s := range c.Index.ExtraAttributes {
		t, err := dict.ParseTag(s)
		if err != nil || dict.VROf(t) == 0 || dict.VROf(t) == vr.SQ {
			return nil, fmt.Errorf("index.extra_attributes: %q is no attribute with a value: want its keyword or gggg,eeee", s)
		}
		out = append(out, t)
	}
	return out, nil
}

// elsewhere is the folder of the objects as an absolute path, empty when the index is in it.
func elsewhere(dir, db string) (string, error) {
	dir, err1 := filepath.Abs(dir)
	db, err2 := filepath.Abs(db)
	if filepath.Dir(db) == dir {
		return "", nil
	}
	return dir, errors.Join(err1, err2)
}

// openStore opens the log, whose tail it recovers from where the index has applied it, and
// ends what was interrupted of its rewriting.
func (a *archive) openStore(ctx context.Context, c *config.Config, log *slog.Logger, applied record.Position) error {
	var err error
	a.store, err = fsblob.Open(ctx, a.dir, fsblob.Options{Naming: fsblob.Naming(c.Storage.Naming), PackMax: c.Storage.PackMax, MinFree: c.Storage.MinFree, Applied: applied, Log: log})
	if err != nil {
		return err
	}
	return compact.Settle(ctx, a.store, a.index)
}

func (a *archive) close() error {
	var errs []error
	if a.ingest != nil {
		errs = append(errs, a.ingest.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	if a.index != nil {
		errs = append(errs, a.index.Close())
	}
	return errors.Join(errs...)
}

// ingestOptions are those that the configuration decides.
func (s *Server) ingestOptions(c *config.Config) ingest.Options {
	return ingest.Options{
		Duplicates: ingest.Policy(c.Storage.DuplicatePolicy),
		Issuer:     func(calling string) string { return s.peers.Load().issuer(calling, c.Patient.DefaultIssuer) },
		Log:        s.log.Logger,
	}
}

// Reindex makes the index of a stopped archive again from its object store.
func Reindex(ctx context.Context, c *config.Config, console io.Writer) (index.State, error) {
	log, err := obs.NewLog(console, "", c.Logging.Level)
	if err != nil {
		return index.State{}, err
	}
	a := &archive{dir: c.Storage.Directory}
	defer a.close()
	if err := a.openIndex(ctx, c); err != nil {
		return index.State{}, err
	}
	if err := a.openStore(ctx, c, log.Logger, record.Position{}); err != nil {
		return index.State{}, err
	}
	s := &Server{log: log}
	s.peers.Store(newPeerTable(ctx, c))
	if err := ingest.Reindex(ctx, a.store, a.index, s.ingestOptions(c), nil); err != nil {
		return index.State{}, err
	}
	return a.index.State(ctx)
}

// Check compares a stopped archive's object store with its index.
func Check(ctx context.Context, c *config.Config, console io.Writer, o fsck.Options) (fsck.Summary, error) {
	log, err := obs.NewLog(console, "", c.Logging.Level)
	if err != nil {
		return fsck.Summary{}, err
	}
	a := &archive{dir: c.Storage.Directory}
	defer a.close()
	if err := a.openIndex(ctx, c); err != nil {
		return fsck.Summary{}, err
	}
	st, err := a.index.State(ctx)
	if err != nil {
		return fsck.Summary{}, err
	}
	if err := a.openStore(ctx, c, log.Logger, st.Applied); err != nil {
		return fsck.Summary{}, err
	}
	rewriting := a.newCompactor(c, &scrub.Guard{Opener: a.store})
	rewriting.Log = log.Logger
	if err := rewriting.Finish(ctx); err != nil { // what it leaves behind is nothing to report
		return fsck.Summary{}, err
	}
	return fsck.Run(ctx, a.store, a.index, o)
}

// front is the DICOM side over the archive.
func (s *Server) front(c *config.Config) *dimsefront.Front {
	gate := egress.New(filepath.Join(c.Storage.Directory, "tmp"))
	gate.Room = s.archive.store.Healthy
	return &dimsefront.Front{
		AETitle:  c.Server.AETitle,
		Bounds:   dimsefront.Bounds{MaxRows: c.Query.MaxRows, MaxTime: c.Query.MaxTime, Deadline: c.Query.Deadline, Parallel: c.Query.Parallel},
		Ingest:   s.archive.ingest,
		Index:    s.archive.index,
		Objects:  s.guard,
		Resolve:  retrieve.ResolverFunc(s.resolve),
		Egress:   gate,
		Prefer:   func(ae string) []uid.UID { return s.peers.Load().wanted(ae) },
		Arrivals: func(ae string) egress.Rule { return s.peers.Load().arrival(ae) },
		Unruled: func(instance uid.UID, err error) {
			s.log.Warn("object is kept as it came: its peer's rule cannot be followed", "instance", instance, "error", err)
		},
		Failed: s.failed,
	}
}

// resolve finds a C-MOVE destination among the peers. Nobody else can be sent to.
func (s *Server) resolve(_ context.Context, _ *dimse.Request, dest dimse.AETitle) (*retrieve.Destination, error) {
	p, ok := s.peers.Load().byAE[strings.TrimSpace(string(dest))]
	if !ok {
		return nil, retrieve.ErrUnknownDestination
	}
	d := &retrieve.Destination{Called: dest, Addr: net.JoinHostPort(p.Host, strconv.Itoa(p.Port))}
	d.Dialer.Calling = dimse.AETitle(s.cfg.Server.AETitle)
	d.Dialer.Window = s.cfg.Server.Window
	d.Prefer = syntaxes(p.SendSyntaxes)
	if p.TLS {
		t := s.cfg.TLS
		var err error
		if d.Dialer.TLS, err = tlsconf.Client(tlsconf.Options{Files: tlsconf.Files{Cert: t.CertPath, Key: t.KeyPath, CA: t.CAPath}, MinVersion: t.MinVersion}); err != nil {
			return nil, err
		}
	}
	d.Pool = s.sending.To(d.Dialer, d.Called, d.Addr)
	return d, nil
}
