package adminapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gantry/dicom/uid"
	"gantry/internal/archive/deletion"
	"gantry/internal/archive/label"
)

type noneHeld struct{}

func (noneHeld) Held(context.Context, int) ([]Held, error)     { return nil, nil }
func (noneHeld) Release(context.Context, string, string) error { return nil }
func (noneHeld) Delete(context.Context, string, string) error  { return ErrNotHeld }

func TestQuarantineRequests(t *testing.T) {
	h := Handler(Config{Ready: func() bool { return true }, Health: http.NotFoundHandler(), Metrics: http.NotFoundHandler(), Held: noneHeld{}, Deleted: noneDeleted{}})
	for _, c := range []struct {
		path, kind, body string
		want             int
	}{
		{"/quarantine/release", "application/json", `{"sopInstanceUID":"1.2","record":"a"}`, 200},
		{"/quarantine/release", "text/plain", `{"sopInstanceUID":"1.2","record":"a"}`, 415},
		{"/quarantine/release", "application/json", `{"sopInstanceUID":"1.2"}`, 400},
		{"/quarantine/release", "application/json", "[" + strings.Repeat("1,", 5000), 400},
		{"/quarantine/delete", "application/json", `{"sopInstanceUID":"1.2","record":"a"}`, 404},
	} {
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %.40s: %d, want %d", c.path, c.body, w.Code, c.want)
		}
	}
}

type noLabels struct{}

func (noLabels) List(context.Context, string, int) ([]label.Study, error) { return nil, nil }
func (noLabels) Change(_ context.Context, study uid.UID, _, _ []string) (label.Study, error) {
	switch study {
	case "1":
		return label.Study{}, label.ErrStudy
	case "2":
		return label.Study{}, label.ErrLabel
	case "3":
		return label.Study{}, errors.New("disk")
	}
	return label.Study{UID: study}, nil
}

func TestLabelRequests(t *testing.T) {
	h := Handler(Config{Ready: func() bool { return true }, Health: http.NotFoundHandler(), Metrics: http.NotFoundHandler(), Held: noneHeld{}, Deleted: noneDeleted{}, Labels: noLabels{}})
	for _, c := range []struct {
		kind, body string
		want       int
	}{
		{"application/json", `{"studyInstanceUID":"4","add":["a"]}`, 200},
		{"text/plain", `{"studyInstanceUID":"4"}`, 415},
		{"application/json", `{"study":"4"}`, 400},
		{"application/json", `{"studyInstanceUID":"1"}`, 404},
		{"application/json", `{"studyInstanceUID":"2"}`, 400},
		{"application/json", `{"studyInstanceUID":"3"}`, 500},
		{"application/json", "[" + strings.Repeat("1,", 5000), 400},
	} {
		r := httptest.NewRequest("POST", "/labels", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%.40s: %d, want %d", c.body, w.Code, c.want)
		}
	}
}

func TestRoutes(t *testing.T) {
	ready := false
	said := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(s)) })
	}
	h := Handler(Config{Ready: func() bool { return ready }, Health: said("health"), Metrics: said("metrics"), Held: noneHeld{}, Deleted: noneDeleted{}, Labels: noLabels{}, Damaged: noneDamaged, Token: "secret"})
	for _, c := range []struct {
		path, token string
		ready       bool
		want        int
	}{
		{"/livez", "", false, 200},
		{"/readyz", "", false, 503},
		{"/readyz", "", true, 200},
		{"/health", "", true, 200},
		{"/metrics", "", true, 401},
		{"/metrics", "Bearer wrong", true, 401},
		{"/metrics", "secret", true, 401},
		{"/metrics", "Bearer secret", true, 200},
		{"/elsewhere", "", true, 404},
		{"/quarantine", "", true, 401},
		{"/quarantine", "Bearer secret", true, 200},
		{"/damaged", "", true, 401},
		{"/damaged", "Bearer secret", true, 200},
		{"/deleted", "", true, 401},
		{"/deleted", "Bearer secret", true, 200},
		{"/labels", "", true, 401},
		{"/labels?label=x", "Bearer secret", true, 200},
	} {
		ready = c.ready
		r := httptest.NewRequest("GET", c.path, nil)
		if c.token != "" {
			r.Header.Set("Authorization", c.token)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s with %q: %d, want %d", c.path, c.token, w.Code, c.want)
		}
	}
}

func noneDamaged(context.Context, int) ([]Damaged, error) { return nil, nil }

type noneDeleted struct{}

func (noneDeleted) Deleted(context.Context, int) ([]Deleted, error) { return nil, nil }

func (noneDeleted) Delete(_ context.Context, w deletion.What) (deletion.Result, error) {
	switch w.Study {
	case "1.2":
		return deletion.Result{Versions: 1}, nil
	case "1.3":
		return deletion.Result{}, errors.New("the disk is gone")
	case "":
		return deletion.Result{}, deletion.ErrWhat
	}
	return deletion.Result{}, deletion.ErrNothing
}

func (n noneDeleted) Undelete(ctx context.Context, w deletion.What) (deletion.Result, error) {
	return n.Delete(ctx, w)
}

func TestDeletionRequests(t *testing.T) {
	h := Handler(Config{Ready: func() bool { return true }, Health: http.NotFoundHandler(), Metrics: http.NotFoundHandler(), Held: noneHeld{}, Deleted: noneDeleted{}})
	for _, c := range []struct {
		path, kind, body string
		want             int
	}{
		{"/deleted/add", "application/json", `{"studyInstanceUID":"1.2"}`, 200},
		{"/deleted/undo", "application/json", `{"studyInstanceUID":"1.2"}`, 200},
		{"/deleted/add", "text/plain", `{"studyInstanceUID":"1.2"}`, 415},
		{"/deleted/add", "application/json", `{"study":"1.2"}`, 400},
		{"/deleted/add", "application/json", `{}`, 400},
		{"/deleted/add", "application/json", "[" + strings.Repeat("1,", 5000), 400},
		{"/deleted/undo", "application/json", `{"studyInstanceUID":"1.9"}`, 404},
		{"/deleted/add", "application/json", `{"studyInstanceUID":"1.3"}`, 500},
	} {
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || strings.Contains(w.Body.String(), "disk") {
			t.Errorf("%s %.40s: %d %s, want %d", c.path, c.body, w.Code, w.Body, c.want)
		}
	}
}
