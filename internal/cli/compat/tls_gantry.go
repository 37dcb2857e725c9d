package compat

import (
	"slices"

	"gantry/internal/cli/verb"
)

// secureToo are TLS options for DCMTK's programs that have none, spelled as its others do.
func secureToo(p *verb.Peer) Group {
	return ofGantry(secure(p).Flags, "+tls", "+tla", "+cf", "+cd", "-ic")
}

// secureServerToo are those of a server.
func secureServerToo(o *verb.Listen) Group {
	return ofGantry(secureServer(o).Flags, "+tls", "+cf", "-rc", "-vc", "-ic")
}

func ofGantry(flags []Flag, names ...string) Group {
	g := Group{Title: "TLS, of Gantry"}
	for _, f := range flags {
		if slices.Contains(names, f.Names[0]) {
			g.Flags = append(g.Flags, f)
		}
	}
	return g
}
