//go:build unix

package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// orthanc is a running Orthanc.
type orthanc struct {
	*server
}

// startOrthanc runs Orthanc with Gantry as its only modality.
func startOrthanc(t *testing.T, port, gantryPort int) *orthanc {
	t.Helper()
	dir := t.TempDir()
	web := freePort(t)
	cfg := filepath.Join(dir, "orthanc.json")
	text, err := json.Marshal(map[string]any{
		"Name": "Test", "StorageDirectory": dir, "IndexDirectory": dir, "DicomAet": "ORTHANC", "DicomPort": port, "HttpPort": web,
		"RemoteAccessAllowed": false, "AuthenticationEnabled": false, "DicomAlwaysAllowStore": true, "DicomAlwaysAllowMove": true,
		"DicomModalities": map[string]any{"gantry": []any{"GANTRY", "127.0.0.1", gantryPort}}, "Plugins": []string{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cfg, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, port, peer(t, "/usr/sbin/Orthanc"), cfg)
	s.http = web
	s.await(web)
	return &orthanc{s}
}

// post calls Orthanc's REST interface.
func (o *orthanc) post(path string, body []byte) string {
	o.t.Helper()
	rsp, err := http.Post(fmt.Sprintf("http://%s%s", addr(o.http), path), "application/json", bytes.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	defer rsp.Body.Close()
	var b bytes.Buffer
	b.ReadFrom(rsp.Body)
	if rsp.StatusCode != http.StatusOK {
		o.t.Fatalf("%s: %d %s", path, rsp.StatusCode, tail(b.String(), 500))
	}
	return b.String()
}

// TestOrthanc has Orthanc verify, send to, query and move from the archive, and be the
// destination of its C-MOVE.
func TestOrthanc(t *testing.T) {
	peerPort := freePort(t)
	s := serve(t, "--peer", "ORTHANC:127.0.0.1:"+strconv.Itoa(peerPort))
	o := startOrthanc(t, peerPort, s.port)
	o.post("/modalities/gantry/echo", []byte("{}"))

	objects := study(1, 4)
	var ids []string
	for _, f := range objects {
		b, err := os.ReadFile(f.file(t, t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ ID string }
		if err := json.Unmarshal([]byte(o.post("/instances", b)), &answer); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, answer.ID)
	}
	list, _ := json.Marshal(ids)
	o.post("/modalities/gantry/store", list)
	out := must(t, gantry, "find", "GANTRY@"+addr(s.port), "--format", "csv", "-k", "NumberOfStudyRelatedInstances")
	if lines(out, ",4") != 1 {
		t.Errorf("after Orthanc's C-STORE:\n%s", out)
	}

	other := study(2, 3)
	must(t, gantry, "store", "GANTRY@"+addr(s.port), files(t, other))
	must(t, gantry, "move", "GANTRY@"+addr(s.port), "--dest", "ORTHANC", "-k", "StudyInstanceUID="+string(other[0].study))
	if _, body := o.get("/statistics", ""); !strings.Contains(body, `"CountInstances" : 7`) {
		t.Errorf("Orthanc after C-MOVE to it: %s", body)
	}

	var query struct{ ID, Path string }
	answer := o.post("/modalities/gantry/query", []byte(`{"Level":"Study","Query":{"PatientID":"P0001"}}`))
	if err := json.Unmarshal([]byte(answer), &query); err != nil {
		t.Fatal(err)
	}
	if _, body := o.get(query.Path+"/answers", ""); strings.Count(body, `"0"`) != 1 {
		t.Errorf("Orthanc's C-FIND: %s", body)
	}
	third := study(3, 2)
	must(t, gantry, "store", "GANTRY@"+addr(s.port), files(t, third))
	answer = o.post("/modalities/gantry/query", []byte(`{"Level":"Study","Query":{"PatientID":"P0003"}}`))
	json.Unmarshal([]byte(answer), &query)
	o.post(query.Path+"/retrieve", []byte("ORTHANC"))
	if _, body := o.get("/statistics", ""); !strings.Contains(body, `"CountInstances" : 9`) {
		t.Errorf("Orthanc after its own C-MOVE: %s", body)
	}
}
