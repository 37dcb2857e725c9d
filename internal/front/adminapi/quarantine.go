package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// Held is an object that a stranger sent.
type Held struct {
	Record   string    `json:"record"` // what Release wants
	Instance string    `json:"sopInstanceUID"`
	Class    string    `json:"sopClassUID"`
	Study    string    `json:"studyInstanceUID"`
	Size     int64     `json:"size"` // bytes of the data set
	Received time.Time `json:"received"`
}

// Quarantine lists and releases what strangers sent.
type Quarantine interface {
	Held(ctx context.Context, limit int) ([]Held, error)
	Release(ctx context.Context, instance, record string) error
	Delete(ctx context.Context, instance, record string) error
}

// ErrNotHeld is what Release and Delete return for an object that is not held.
var ErrNotHeld = errors.New("no such object is held")

const (
	mostHeld     = 1000
	maxBody      = 4 << 10
	contentTypes = "application/json"
)

// quarantine serves
//
//	GET  /quarantine           the first 1,000 objects held, as a JSON array
//	POST /quarantine/release   {"sopInstanceUID": ..., "record": ...}: the object is taken in
//	POST /quarantine/delete    the same: the object is gone for good
func quarantine(mux *http.ServeMux, token string, q Quarantine) {
	mux.Handle("GET /quarantine", guard(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, err := q.Held(r.Context(), mostHeld)
		if err != nil {
			text(w, http.StatusInternalServerError, "the index cannot be read\n")
			return
		}
		w.Header().Set("Content-Type", contentTypes)
		json.NewEncoder(w).Encode(append([]Held{}, list...))
	})))
	mux.Handle("POST /quarantine/release", guard(token, decide(q.Release)))
	mux.Handle("POST /quarantine/delete", guard(token, decide(q.Delete)))
}

// decide runs what is asked for on the object that the body names. A page of another site
// cannot ask: the content type makes a browser ask for leave first.
func decide(do func(ctx context.Context, instance, record string) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != contentTypes {
			text(w, http.StatusUnsupportedMediaType, "want application/json\n")
			return
		}
		var h Held
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&h); err != nil || h.Instance == "" || h.Record == "" {
			text(w, http.StatusBadRequest, "want sopInstanceUID and record\n")
			return
		}
		switch err := do(r.Context(), h.Instance, h.Record); {
		case errors.Is(err, ErrNotHeld):
			text(w, http.StatusNotFound, "no such object is held\n")
		case err != nil:
			text(w, http.StatusInternalServerError, "not done: see the log\n")
		default:
			text(w, http.StatusOK, "done\n")
		}
	})
}
