package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gantry/internal/config"
	"gantry/internal/server"
)

// serveFlags are the flags of serve and the keys they set.
var serveFlags = [...]struct{ flag, key, help string }{
	{"bind", "server.bind", "address to listen on; 0.0.0.0 opens the archive to the network"},
	{"port", "server.port", "DICOM port"},
	{"ae-title", "server.ae_title", "AE title that callers must name"},
	{"storage-dir", "storage.directory", "folder of objects and index"},
	{"db-path", "database.path", "index file"},
	{"log-level", "logging.level", "trace, debug, info, warning, error or critical"},
	{"max-associations", "server.max_associations", "associations at a time"},
	{"http", "http.address", "host:port for health and metrics; empty for none"},
	{"auth", "http.auth", "on or off: ask HTTP clients for a token"},
	{"peer", "peers", "application entity that may call and be sent to: AE:host:port; may be repeated"},
}

func newServe(stdio *Stdio) *cobra.Command {
	var file string
	c := command("serve", "Run the archive", &cobra.Command{
		Long: `Run the archive. Without any option it keeps its data in ./gantry-data, is called GANTRY,
and listens on loopback only: DICOM on port 11112, HTTP on port 8042.

SIGHUP reads the configuration again: peers, log and certificates. SIGINT and SIGTERM let
the work under way end and print statistics.`,
		Example: `  gantry serve
  gantry serve --bind 0.0.0.0 --peer CT1:10.0.0.5:104 --ae-title MAIN_PACS
  gantry serve --config gantry.yaml --log-level debug`,
		Args: cobra.NoArgs,
	})
	c.Flags().StringVar(&file, "config", "", "configuration file (YAML); see gantry config")
	for _, f := range serveFlags {
		if f.key == "peers" {
			c.Flags().StringArray(f.flag, nil, f.help)
		} else {
			c.Flags().String(f.flag, "", f.help)
		}
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		load := func() (*config.Config, error) { return loadConfig(file, stdio.Environ, c.Flags()) }
		return serve(c.Context(), stdio, load)
	}
	return c
}

func loadConfig(file string, environ []string, flags *pflag.FlagSet) (*config.Config, error) {
	l := config.NewLoader()
	if file != "" {
		l.File(file)
	}
	l.Environment(environ)
	for _, f := range serveFlags {
		if !flags.Changed(f.flag) {
			continue
		}
		if f.key == "peers" {
			peers, _ := flags.GetStringArray(f.flag)
			for _, p := range peers {
				l.Flag(f.flag, f.key, p)
			}
			continue
		}
		l.Flag(f.flag, f.key, flags.Lookup(f.flag).Value.String())
	}
	return l.Done()
}

func serve(ctx context.Context, stdio *Stdio, load func() (*config.Config, error)) error {
	cfg, err := load()
	if err != nil {
		return fail(ExitUsage, "%w", err)
	}
	s, err := server.New(ctx, cfg, stdio.Err)
	if err != nil {
		return fail(ExitFailed, "%w", err)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, reloadSignals...)
	defer signal.Stop(hup)
	go reloadOn(ctx, hup, s, load)
	s.Greet(stdio.Out)
	err = s.Run(ctx)
	s.Statistics(stdio.Out)
	if err != nil && !errors.Is(err, context.Canceled) {
		return fail(ExitFailed, "%w", err)
	}
	return nil
}

func reloadOn(ctx context.Context, hup <-chan os.Signal, s *server.Server, load func() (*config.Config, error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		}
		cfg, err := load()
		if err == nil {
			err = s.Reload(cfg)
		}
		if err != nil {
			s.Log().Error("reload refused, going on as before", "err", fmt.Sprint(err))
		}
	}
}
