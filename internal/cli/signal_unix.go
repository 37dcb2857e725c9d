//go:build unix

package cli

import (
	"os"
	"syscall"
)

// reloadSignals make serve read its configuration again.
var reloadSignals = []os.Signal{syscall.SIGHUP}
