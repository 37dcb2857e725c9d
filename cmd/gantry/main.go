// Command gantry is the archive and its tools in one program: see gantry --help.
package main

import (
	"os"

	"gantry/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args, cli.System())) }
