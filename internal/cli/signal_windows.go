package cli

import (
	"os"
	"syscall"
)

// reloadSignals make serve read its configuration again. Windows sends none of itself.
var reloadSignals = []os.Signal{syscall.SIGHUP}
