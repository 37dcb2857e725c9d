package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/config"
)

// offlineFlags find the folders of an archive that is not running.
type offlineFlags struct {
	file, dir, db string
}

func (o *offlineFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.file, "config", "", "configuration file (YAML)")
	c.Flags().StringVar(&o.dir, "storage-dir", "", "folder of objects and index")
	c.Flags().StringVar(&o.db, "db-path", "", "index file")
}

func (o *offlineFlags) load(environ []string) (*config.Config, error) {
	l := config.NewLoader()
	if o.file != "" {
		l.File(o.file)
	}
	l.Environment(environ)
	if o.dir != "" {
		l.Flag("storage-dir", "storage.directory", o.dir)
	}
	if o.db != "" {
		l.Flag("db-path", "database.path", o.db)
	}
	cfg, err := l.Done()
	if err != nil {
		return nil, fail(ExitUsage, "%w", err)
	}
	return cfg, nil
}
