package verb

import "os"

// hangUp are the signals that stop the servers.
func hangUp() []os.Signal { return []os.Signal{os.Interrupt} }
