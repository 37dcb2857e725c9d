//go:build unix

package verb

import (
	"os"
	"syscall"
)

// hangUp are the signals that stop the servers beside those that stop every command.
func hangUp() []os.Signal { return []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} }
