package compat

import (
	"os"
	"path/filepath"
	"testing"

	"gantry/dicomtest"
)

// TestPACSServer runs the archive with the described example's file.
func TestPACSServer(t *testing.T) {
	t.Chdir(t.TempDir())
	port, receive := closed(t), closed(t)
	yaml := `server:
  ae_title: "OVERRIDDEN"
  port: 11112
  max_associations: 50
  idle_timeout: 60
storage:
  directory: "./data"
  naming: "hierarchical"
  duplicate_policy: "reject"
database:
  path: "./pacs.db"
  wal_mode: true
logging:
  level: "error"
  file: "./pacs.log"
  console: false
access_control:
  allowed_ae_titles: []
`
	if err := os.WriteFile("pacs.yaml", []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	stop := serve(t, port, "pacs_server", "--config", "pacs.yaml", "--port", port, "--ae-title", "MY_PACS", "--bind", "127.0.0.1", "--peer", "ME:localhost:"+receive)
	dir := folderOf(t, 5)
	study := "StudyInstanceUID=" + string(dicomtest.Study(0))
	if code, out, errs := run(t, "store_scu", "-r", "-aec", "MY_PACS", "localhost", port, dir); code != 0 {
		t.Errorf("store: %d %s%s", code, out, errs)
	}
	if code, _, errs := run(t, "find_scu", "-S", "-aec", "MY_PACS", "-k", study, "localhost", port); code != 0 {
		t.Errorf("find: %d %s", code, errs)
	}
	in := t.TempDir()
	if code, _, errs := run(t, "move_scu", "-S", "-aec", "MY_PACS", "-aem", "ME", "--port", receive, "-od", in, "-k", study, "localhost", port); code != 0 || len(files(t, in)) != 5 {
		t.Errorf("move: %d, %d files %s", code, len(files(t, in)), errs)
	}
	code, out, errs := stop()
	if code != 0 {
		t.Errorf("exit %d %s", code, errs)
	}
	wants(t, "start", errs, "any caller is served")
	wants(t, "statistics", out, "PACS Server Statistics", "Uptime:", "Total Associations:", "Messages Processed:")
	if got, _ := filepath.Glob("data/*"); len(got) == 0 {
		t.Error("storage.directory was not used")
	}
	if code, _, errs := run(t, "pacs_server", "--port", "no"); code != 1 || errs == "" {
		t.Errorf("bad port: %d %s", code, errs)
	}
}
