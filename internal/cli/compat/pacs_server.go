package compat

import (
	"errors"
	"fmt"
	"strconv"

	"gantry/internal/cli/verb"
)

func pacsServer() *Program {
	o := new(verb.PACSServer)
	return &Program{
		Name: "pacs_server", Purpose: "run the archive", Usage: "[options]", HelpExit: 1,
		Options: o, Run: o.Run, Exits: serverExits(),
		Args: func(args []string) error {
			if len(args) > 0 {
				return errors.New("too many arguments")
			}
			return nil
		},
		Groups: []Group{{"Options", []Flag{
			{Names: names("--config"), Params: names("file"), Help: "configuration, YAML; options win over it", Set: text(&o.Config)},
			{Names: names("--port"), Params: names("port"), Help: "DICOM port (default 11112)", Set: both(isPort, o.Set("--port", "server.port"))},
			{Names: names("--ae-title"), Params: names("title"), Help: "our AE title (default MY_PACS)", Set: o.Set("--ae-title", "server.ae_title")},
			{Names: names("--storage-dir"), Params: names("folder"), Help: "where objects are kept (default ./archive)", Set: o.Set("--storage-dir", "storage.directory")},
			{Names: names("--db-path"), Params: names("file"), Help: "the index (default ./pacs.db)", Set: o.Set("--db-path", "database.path")},
			{Names: names("--log-level"), Params: names("level"), Help: "trace, debug, info, warning, error or critical (default info)", Set: o.Set("--log-level", "logging.level")},
			{Names: names("--max-associations"), Params: names("n"), Help: "associations at a time (default 50)", Set: o.Set("--max-associations", "server.max_associations")},
			{Names: names("--bind"), Params: names("address"), Help: "listen on this address only", Set: o.Set("--bind", "server.bind")},
			{Names: names("--accept-ae"), Params: names("patterns"), Help: "serve only these callers, a list with * and ?", Set: o.Set("--accept-ae", "access_control.allowed_ae_titles")},
			{Names: names("--peer"), Params: names("peer"), Help: "AE:host:port that C-MOVE may send to; may be repeated", Set: o.Set("--peer", "peers")},
			help("--help/-h"),
		}}},
		Examples: []string{"pacs_server", "pacs_server --config pacs_server.yaml", "pacs_server --port 104 --ae-title MAIN --storage-dir /data --peer WS:10.0.0.5:11112"},
	}
}

// isPort refuses what is no port, and 0, which stands for any free one elsewhere.
func isPort(v []string) error {
	if n, err := strconv.Atoi(v[0]); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("%q: want a number from 1 to 65535", v[0])
	}
	return nil
}
