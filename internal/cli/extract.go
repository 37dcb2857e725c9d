package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
	"gantry/pixel/render"
)

func newExtract(stdio *Stdio) *cobra.Command {
	var o verb.Pictures
	var window []float64
	c := command("extract FILE [OUTPUT]", "Write the frames of DICOM files as pictures", &cobra.Command{
		Long: `Write the frames of DICOM files as pictures, or as decoded samples. OUTPUT is a file, or a
folder; without it they go beside their files. Several frames are numbered from 0.

gif is an animation of all frames with their times. jp2 and j2k are JPEG 2000, jph and j2c
HTJ2K, without loss. pdf is the document of an Encapsulated PDF object; an electrocardiogram is
drawn as a page, which png is too. video is an MPEG or MP4 stream as it is.`,
		Example: "  gantry extract ct.dcm ct.png --window 40,400\n  gantry extract --as raw --frame 0 cine.dcm\n  gantry extract -r study pictures --as jpeg -q 80\n  gantry extract ct.dcm --segmentation liver.dcm --fit 512x512",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			switch o.As {
			case "png", "jpeg", "ppm", "raw", "gif", "jp2", "j2k", "jph", "j2c", "pdf", "video":
			default:
				return fail(ExitUsage, "--as %q: want png, jpeg, ppm, raw, gif, jp2, j2k, jph, j2c, pdf or video", o.As)
			}
			if n := len(window); n != 0 && n != 2 {
				return fail(ExitUsage, "--window: want a center and a width, as 40,400")
			} else if n == 2 {
				o.Window = &render.Window{Center: window[0], Width: window[1]}
			}
			if o.Quality < 1 || o.Frame < verb.AllFrames {
				return fail(ExitUsage, "--quality begins at 1, --frame at 0")
			}
			if o.Input = args[0]; len(args) == 2 {
				o.Output = args[1]
			}
			return o.Run(c.Context(), stdio)
		},
	})
	f := c.Flags()
	f.StringVar(&o.As, "as", "png", "png, jpeg, ppm, raw, gif, jp2, j2k, jph, j2c, pdf or video")
	f.IntVarP(&o.Quality, "quality", "q", 90, "of JPEG, 1 to 100")
	f.IntVar(&o.Frame, "frame", verb.AllFrames, "one frame, counted from 0; -1 is all of them")
	f.Float64SliceVar(&window, "window", nil, "center and width, in place of the window of the file")
	f.BoolVarP(&o.Recursive, "recursive", "r", false, "go into folders below")
	f.BoolVar(&o.Overwrite, "overwrite", false, "replace files that are there already")
	f.BoolVar(&o.NoOverlays, "no-overlays", false, "draw no overlay planes")
	f.BoolVar(&o.NoShutter, "no-shutter", false, "draw what a display shutter hides")
	f.BoolVar(&o.Square, "square", false, "enlarge pixels that are not square until they are")
	f.StringVar(&o.Fit, "fit", "", "scale pictures to fit in WIDTHxHEIGHT, with square pixels")
	f.StringVar(&o.State, "state", "", "file with a softcopy presentation state to apply")
	f.BoolVar(&o.NoGraphics, "no-graphics", false, "without the annotations of --state")
	f.StringVar(&o.Segmentation, "segmentation", "", "file with a segmentation to lay over its images")
	f.StringVar(&o.Dose, "dose", "", "file with an RT dose to lay over images as a colour wash")
	f.BoolVar(&o.Describe, "info", false, "print what the image is, and write nothing")
	return c
}
