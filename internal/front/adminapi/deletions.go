package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"gantry/internal/archive/deletion"
)

// Deleted is what of a study was deleted and can be undone.
type Deleted struct {
	Study     string    `json:"studyInstanceUID"`
	Instances int64     `json:"instances"`
	Versions  int64     `json:"versions"`
	Bytes     int64     `json:"bytes"`
	At        time.Time `json:"deleted"` // the last deletion
	Final     time.Time `json:"final"`   // when it will be final, if the server keeps running
}

// Deletions deletes, undoes and lists.
type Deletions interface {
	Deleted(ctx context.Context, limit int) ([]Deleted, error)
	Delete(context.Context, deletion.What) (deletion.Result, error)
	Undelete(context.Context, deletion.What) (deletion.Result, error)
}

const mostDeleted = 1000

// deletions serves
//
//	GET  /deleted        the 1,000 studies last deleted from, as a JSON array
//	POST /deleted/add    {"studyInstanceUID": ...} or seriesInstanceUID, sopInstanceUID, or patientID
//	                     with or without issuerOfPatientID: it is deleted, and can be undone
//	POST /deleted/undo   the same: the deletion is undone
func deletions(mux *http.ServeMux, token string, d Deletions) {
	mux.Handle("GET /deleted", guard(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, err := d.Deleted(r.Context(), mostDeleted)
		if err != nil {
			text(w, http.StatusInternalServerError, "the index cannot be read\n")
			return
		}
		w.Header().Set("Content-Type", contentTypes)
		json.NewEncoder(w).Encode(append([]Deleted{}, list...))
	})))
	mux.Handle("POST /deleted/add", guard(token, change(d.Delete)))
	mux.Handle("POST /deleted/undo", guard(token, change(d.Undelete)))
}

// change does what is asked for on what the body names.
func change(do func(context.Context, deletion.What) (deletion.Result, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != contentTypes {
			text(w, http.StatusUnsupportedMediaType, "want application/json\n")
			return
		}
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		body.DisallowUnknownFields() // a name that is spelt wrong must not widen what is meant
		var what deletion.What
		if err := body.Decode(&what); err != nil {
			text(w, http.StatusBadRequest, deletion.ErrWhat.Error()+"\n")
			return
		}
		http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a patient may have many instances; a recorder has no deadline
		res, err := do(r.Context(), what)
		switch {
		case errors.Is(err, deletion.ErrWhat), errors.Is(err, deletion.ErrAmbiguous):
			text(w, http.StatusBadRequest, err.Error()+"\n")
		case errors.Is(err, deletion.ErrNothing):
			text(w, http.StatusNotFound, err.Error()+"\n")
		case err != nil:
			text(w, http.StatusInternalServerError, "not done, or in part: see the log\n")
		default:
			w.Header().Set("Content-Type", contentTypes)
			json.NewEncoder(w).Encode(res)
		}
	})
}
