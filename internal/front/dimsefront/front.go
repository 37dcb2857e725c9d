// Package dimsefront is the DICOM side of the archive: it turns DIMSE services into the
// archive's use cases and their errors into statuses.
package dimsefront

import (
	"context"
	"iter"
	"time"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/archive/blob"
	"gantry/internal/archive/egress"
	"gantry/internal/archive/index"
	"gantry/internal/archive/record"
	"gantry/service/query"
	"gantry/service/retrieve"
	"gantry/service/storage"
	"gantry/service/verify"
)

// Searcher is the part of the index that queries and retrievals need.
type Searcher interface {
	Search(context.Context, *index.Search) iter.Seq2[*index.Row, error]
	Select(context.Context, index.Selector) iter.Seq2[index.Location, error]
	Feed() uint64 // number of the last change
}

// Objects opens what was stored.
type Objects interface {
	Open(context.Context, record.Ref) (blob.Object, error)
}

// Bounds are what one query may cost. Zero fields are without bound, but Parallel is then a
// small number and MaxRows is index.DefaultBudget.
type Bounds struct {
	MaxRows  int           // looked at without a match
	MaxTime  time.Duration // of searching without a match
	Deadline time.Duration // of the whole query
	Parallel int           // queries that search at a time
}

// Front answers DIMSE requests from an archive. It is safe for concurrent use.
type Front struct {
	AETitle string // what answers carry as Retrieve AE Title
	Ingest  Ingester
	Index   Searcher
	Objects Objects
	// Resolve finds the destination of a C-MOVE.
	Resolve retrieve.Resolver
	// Egress lays objects out for peers that do not take them as they are stored. Nil is
	// one that all such fronts share.
	Egress *egress.Gate
	// Prefer, if set, gives the transfer syntaxes that an AE title wants objects in.
	Prefer func(ae string) []uid.UID
	// Arrivals, if set, gives the rule for what an AE title sends.
	Arrivals func(ae string) egress.Rule
	// Unruled, if set, sees why a rule could not be followed, for the log.
	Unruled func(instance uid.UID, err error)
	// Failed, if set, sees each failed sub-operation, for the log.
	Failed func(retrieve.Failure)

	Bounds Bounds // of queries

	found findCache
	turns turns
}

// Mux returns the handlers of all services.
func (f *Front) Mux() *dimse.ServeMux {
	m := new(dimse.ServeMux)
	verify.Register(m)
	storage.Register(m, f)
	options := query.Options{Relational: true, DateTime: true, Fuzzy: true, Timezone: true, Empty: true, Multiple: true, Lenient: true, Unsupported: unsupported}
	f.turns.Parallel = f.Bounds.Parallel
	query.Register(m, f, options)
	sub := retrieve.Options{Query: options, OnFailure: f.Failed}
	retrieve.RegisterGet(m, f, sub)
	move := limitMoves(retrieve.MoveSCP(f, f.Resolve, sub))
	for _, class := range []uid.UID{uid.PatientRootQueryRetrieveInformationModelMove,
		uid.StudyRootQueryRetrieveInformationModelMove, uid.PatientStudyOnlyQueryRetrieveInformationModelMove} {
		m.Handle(dimse.CMove, class, move)
	}
	return m
}
