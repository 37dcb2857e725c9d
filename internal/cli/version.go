package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"gantry/dicom/dict"
)

// Version is the version of this source tree.
const Version = "0.1.0"

func newVersion(stdio *Stdio) *cobra.Command {
	return command("version", "Print the version", &cobra.Command{
		Example: "  gantry version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(stdio.Out, "gantry %s%s, DICOM %s, %s %s/%s\n", Version, revision(), dict.Edition, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	})
}

// revision is the commit that the build came from, if the build knows.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " (" + s.Value[:12] + ")"
		}
	}
	return ""
}
