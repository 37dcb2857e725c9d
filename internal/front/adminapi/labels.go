package adminapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"gantry/dicom/uid"
	"gantry/internal/archive/label"
)

// Labels lists and changes the labels of studies.
type Labels interface {
	List(ctx context.Context, label string, limit int) ([]label.Study, error)
	Change(ctx context.Context, study uid.UID, add, remove []string) (label.Study, error)
}

// LabelChange is what is asked for.
type LabelChange struct {
	Study  uid.UID  `json:"studyInstanceUID"`
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

// labels serves
//
//	GET  /labels[?label=x]  the first 1,000 studies with labels, or with one, as a JSON array
//	POST /labels            {"studyInstanceUID": ..., "add": [...], "remove": [...]}
func labels(mux *http.ServeMux, token string, l Labels) {
	mux.Handle("GET /labels", guard(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, err := l.List(r.Context(), r.URL.Query().Get("label"), mostListed)
		if err != nil {
			text(w, http.StatusInternalServerError, "the index cannot be read\n")
			return
		}
		w.Header().Set("Content-Type", contentTypes)
		json.NewEncoder(w).Encode(append([]label.Study{}, list...))
	})))
	mux.Handle("POST /labels", guard(token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != contentTypes {
			text(w, http.StatusUnsupportedMediaType, "want application/json\n")
			return
		}
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		body.DisallowUnknownFields()
		var c LabelChange
		if err := body.Decode(&c); err != nil {
			text(w, http.StatusBadRequest, "want studyInstanceUID, add and remove\n")
			return
		}
		st, err := l.Change(r.Context(), c.Study, c.Add, c.Remove)
		switch {
		case errors.Is(err, label.ErrStudy):
			text(w, http.StatusNotFound, err.Error()+"\n")
		case errors.Is(err, label.ErrLabel), errors.Is(err, label.ErrMany):
			text(w, http.StatusBadRequest, err.Error()+"\n")
		case err != nil:
			text(w, http.StatusInternalServerError, "not done: see the log\n")
		default:
			w.Header().Set("Content-Type", contentTypes)
			json.NewEncoder(w).Encode(st)
		}
	})))
}
