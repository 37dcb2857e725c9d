package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/deletion"
	"gantry/internal/archive/label"
	"gantry/internal/front/adminapi"
)

// remote is the HTTP side of an archive that is at work on a folder of this machine.
type remote struct {
	addr, token string
	client      http.Client
}

var _ admin = (*remote)(nil)

func newRemote(addr, dir string) (*remote, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("its HTTP address is %q; name it with --http host:port", addr)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	token, err := os.ReadFile(filepath.Join(dir, "token"))
	if err != nil && !os.IsNotExist(err) { // there is none where it asks for none
		return nil, err
	}
	r := &remote{addr: net.JoinHostPort(host, port), token: strings.TrimSpace(string(token))}
	r.client.Timeout = time.Hour // a patient may have very many instances
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return r, nil
}

// Delete implements adminapi.Deletions.
func (r *remote) Delete(ctx context.Context, w deletion.What) (deletion.Result, error) {
	var out deletion.Result
	err := r.call(ctx, http.MethodPost, "/deleted/add", w, &out)
	return out, err
}

// Undelete implements adminapi.Deletions.
func (r *remote) Undelete(ctx context.Context, w deletion.What) (deletion.Result, error) {
	var out deletion.Result
	err := r.call(ctx, http.MethodPost, "/deleted/undo", w, &out)
	return out, err
}

// Deleted implements adminapi.Deletions. The archive decides on the limit.
func (r *remote) Deleted(ctx context.Context, _ int) ([]adminapi.Deleted, error) {
	var out []adminapi.Deleted
	err := r.call(ctx, http.MethodGet, "/deleted", nil, &out)
	return out, err
}

// List implements adminapi.Labels. The archive decides on the limit.
func (r *remote) List(ctx context.Context, l string, _ int) ([]label.Study, error) {
	var out []label.Study
	err := r.call(ctx, http.MethodGet, "/labels?label="+url.QueryEscape(l), nil, &out)
	return out, err
}

// Change implements adminapi.Labels.
func (r *remote) Change(ctx context.Context, study uid.UID, add, remove []string) (label.Study, error) {
	var out label.Study
	err := r.call(ctx, http.MethodPost, "/labels", adminapi.LabelChange{Study: study, Add: add, Remove: remove}, &out)
	return out, err
}

const (
	mostMessage = 4 << 10  // bytes of what is said about an error
	mostAnswer  = 16 << 20 // bytes of an answer
)

// call asks and decodes the answer.
func (r *remote) call(ctx context.Context, method, path string, ask, answer any) error {
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.addr+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("the archive is at work, but not to be reached: %w; name its HTTP side with --http host:port", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, mostMessage)) // as much of it as there is
		return fmt.Errorf("the archive says: %s (status %d)", strings.TrimSpace(string(said)), resp.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, mostAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("answer of the archive: %w", err)
	}
	return nil
}
