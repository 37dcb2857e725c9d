package adminapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestRoutes(t *testing.T) {
	ready := false
	said := func(s string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(s)) })
	}
	h := Handler(Config{Ready: func() bool { return ready }, Health: said("health"), Metrics: said("metrics"), Token: "secret"})
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
