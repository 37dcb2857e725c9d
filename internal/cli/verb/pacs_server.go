package verb

import (
	"context"
	"errors"
	"fmt"
	"os/signal"

	"gantry/internal/config"
	"gantry/internal/server"
)

// PACSServer is the archive under the described name: it listens on every interface and
// serves any caller unless configured otherwise.
type PACSServer struct {
	Config   string // YAML file
	Settings []Setting
}

// Setting is a configuration key set by a flag.
type Setting struct{ Flag, Key, Value string }

// pacsDefaults are the described program's, as a configuration. Its HTTP port is Gantry's
// own and stays closed unless the file opens it.
const pacsDefaults = `
server: {ae_title: MY_PACS, bind: 0.0.0.0, port: 11112, max_associations: 50, unknown_ae: serve}
storage: {directory: ./archive}
database: {path: ./pacs.db}
logging: {level: info}
http: {address: ""}
`

// Set appends a setting.
func (o *PACSServer) Set(flag, key string) func([]string) error {
	return func(v []string) error {
		o.Settings = append(o.Settings, Setting{flag, key, v[0]})
		return nil
	}
}

// Run serves until it is told to stop.
func (o *PACSServer) Run(ctx context.Context, s *Stdio) error {
	cfg, err := o.load(s.Environ)
	if err != nil {
		return Fail(Usage, "%w", err)
	}
	ctx, stop := signal.NotifyContext(ctx, hangUp()...)
	defer stop()
	archive, err := server.New(ctx, cfg, s.Err)
	if err != nil {
		return Fail(Failed, "%w", err)
	}
	archive.Greet(s.Out)
	fmt.Fprintln(s.Err, "pacs_server: SIGINT, SIGTERM and SIGHUP stop it.")
	if cfg.UnknownCaller() == "serve" {
		fmt.Fprintln(s.Err, "pacs_server: any caller is served; --bind ADDRESS and --accept-ae TITLE narrow that.")
	}
	err = archive.Run(ctx)
	archive.Statistics(s.Out)
	if err != nil && !errors.Is(err, context.Canceled) {
		return Fail(Failed, "%w", err)
	}
	return nil
}

func (o *PACSServer) load(environ []string) (*config.Config, error) {
	l := config.NewLoader()
	l.YAML("pacs_server's defaults", []byte(pacsDefaults))
	if o.Config != "" {
		l.File(o.Config)
	}
	l.Environment(environ)
	for _, set := range o.Settings {
		l.Flag(set.Flag, set.Key, set.Value)
		if set.Key == "access_control.allowed_ae_titles" {
			l.Flag(set.Flag, "server.unknown_ae", "refuse")
		}
	}
	return l.Done()
}
