package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gantry/internal/tlsconf"
)

func newCert(stdio *Stdio) *cobra.Command {
	var hosts []string
	var days int
	c := command("cert [DIR]", "Make a certificate authority with a server and a client certificate", &cobra.Command{
		Long: `Make a certificate authority, and a server and a client certificate signed by it, for trying
out TLS and for closed networks: ca.pem, server.pem, server.key, client.pem, client.key.
Files that are there already are not touched.`,
		Example: "  gantry cert\n  gantry cert certs --host pacs.example --host 10.0.0.9\n  gantry echo PACS@localhost:2762 --tls --tls-ca certs/ca.pem",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "certs"
			if len(args) == 1 {
				dir = args[0]
			}
			if err := tlsconf.Generate(dir, hosts, time.Duration(days)*24*time.Hour, time.Now()); err != nil {
				return fail(ExitFailed, "%w", err)
			}
			fmt.Fprintf(stdio.Out, "certificates written to %s\n", dir)
			return nil
		},
	})
	c.Flags().StringArrayVar(&hosts, "host", []string{"localhost", "127.0.0.1", "::1"}, "name or address of the server; may be repeated")
	c.Flags().IntVar(&days, "days", 365, "how long they are good for")
	return c
}
