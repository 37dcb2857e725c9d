// Package adminapi is the HTTP side of the server's health: probes for whoever starts and
// stops it, a report for people, metrics for Prometheus.
package adminapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Config is what the handler serves.
type Config struct {
	Ready   func() bool  // whether the archive takes work
	Health  http.Handler // the report
	Metrics http.Handler
	Token   string // what clients must show for all but health; empty for nothing
	Held    Quarantine
	Deleted Deletions
	Labels  Labels
	Damaged func(context.Context, int) ([]Damaged, error)
}

// Damaged is a stored object whose bytes are not those that came. It is not sent to anybody.
type Damaged struct {
	Instance string    `json:"sopInstanceUID"`
	Record   string    `json:"record"`
	Ref      string    `json:"ref"`
	Reason   string    `json:"reason"`
	Found    time.Time `json:"found"`
	Mend     string    `json:"mend"` // what mends it
}

const mostListed = 1000

// Handler serves
//
//	/livez, /readyz   plain text probes, open to everybody
//	/health           the state as JSON, open to everybody: it holds no names
//	/metrics          Prometheus text, with the token
//	/quarantine       what strangers sent, with the token
//	/deleted          what was deleted and can be undone, with the token
//	/labels           the labels of studies, with the token
//	/damaged          the first 1,000 damaged objects, with the token
func Handler(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "alive\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !c.Ready() {
			text(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		text(w, http.StatusOK, "ready\n")
	})
	mux.Handle("GET /health", c.Health)
	mux.Handle("GET /metrics", guard(c.Token, c.Metrics))
	quarantine(mux, c.Token, c.Held)
	deletions(mux, c.Token, c.Deleted)
	labels(mux, c.Token, c.Labels)
	mux.Handle("GET /damaged", guard(c.Token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, err := c.Damaged(r.Context(), mostListed)
		if err != nil {
			text(w, http.StatusInternalServerError, "the index cannot be read\n")
			return
		}
		w.Header().Set("Content-Type", contentTypes)
		json.NewEncoder(w).Encode(append([]Damaged{}, list...))
	})))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		text(w, http.StatusOK, "Gantry\n\n/livez /readyz /health /metrics /quarantine /deleted /labels /damaged\n")
	})
	return harden(mux)
}

// NewServer returns a server for h with a limit on every wait and size.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}

func text(w http.ResponseWriter, status int, s string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(s))
}

// harden sets the headers that keep a browser from doing more than it should.
func harden(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		h.ServeHTTP(w, r)
	})
}

// guard asks for the token as RFC 6750 has it, compared in constant time.
func guard(token string, h http.Handler) http.Handler {
	if token == "" {
		return h
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(shown))
		if !ok || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="gantry"`)
			text(w, http.StatusUnauthorized, "show the token of the storage folder as a bearer token\n")
			return
		}
		h.ServeHTTP(w, r)
	})
}
