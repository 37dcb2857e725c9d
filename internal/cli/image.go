package cli

import (
	"github.com/spf13/cobra"

	"gantry/dicom/uid"
	"gantry/internal/cli/capture"
	"gantry/internal/cli/verb"
)

func newImage(stdio *Stdio) *cobra.Command {
	var o verb.Image
	class, implicit := "auto", false
	c := command("image FILE... OUTPUT", "Make DICOM files of pictures, documents and video", &cobra.Command{
		Long: `Make DICOM files of JPEG, JPEG-LS, JPEG 2000, PNG, TIFF, BMP and GIF pictures, PDF documents
and MP4 video of H.264 or HEVC. What a file is its first bytes tell. Video and documents go in
as they are; pictures are decoded, unless --keep asks for the coded ones as they are. Frames of
a GIF animation become frames.

FILE may be a folder with --recursive; OUTPUT is one then too, and all objects are of one
series. Several files are frames of one object with --join.`,
		Example: `  gantry image photo.jpg photo.dcm --keep --class photo --study-from item.wl
  gantry image report.pdf report.dcm -k PatientName=Roe^Richard -k PatientID=4711
  gantry image -r scans/ study/ --series-from first.dcm
  gantry image --join 1.png 2.png 3.png cine.dcm`,
		Args: cobra.MinimumNArgs(2),
	})
	c.RunE = func(c *cobra.Command, args []string) error {
		if n := len(args); o.Join || n == 2 {
			o.Inputs, o.Output = args[:n-1], args[n-1]
		} else {
			return fail(ExitUsage, "%d inputs: --join makes frames of one object of them", n-1)
		}
		switch class {
		case "auto":
		case "multi":
			o.Capture.Class = capture.Multi
		case "photo":
			o.Capture.Class = capture.Photo
		default:
			return fail(ExitUsage, "--class %q: want auto, multi or photo", class)
		}
		if implicit {
			o.Syntax = uid.ImplicitVRLittleEndian
		}
		return o.Run(c.Context(), stdio)
	}
	f := c.Flags()
	f.StringVar(&class, "class", "auto", "of pictures: auto (Secondary Capture), multi (its multi-frame classes) or photo (VL Photographic)")
	f.BoolVar(&o.Capture.Keep, "keep", false, "keep coded pictures as they are")
	f.BoolVar(&implicit, "implicit", false, "write Implicit VR Little Endian what is not coded")
	f.BoolVar(&o.Join, "join", false, "make one object of all files, each a frame or several")
	f.StringVar(&o.Identity.Template, "template", "", "DICOM file that gives all attributes but those of the picture")
	f.StringVar(&o.Identity.StudyFrom, "study-from", "", "DICOM file or worklist item that gives patient and study")
	f.StringVar(&o.Identity.SeriesFrom, "series-from", "", "DICOM file that gives patient, study and series")
	f.BoolVar(&o.Identity.Next, "next", false, "go on from the instance number of --series-from")
	f.StringArrayVarP(&o.Identity.Keys, "key", "k", nil, "attribute to set: Keyword=value or gggg,eeee=value; may be repeated")
	f.BoolVarP(&o.Recursive, "recursive", "r", false, "take all files in a folder and the folders below")
	f.BoolVar(&o.Overwrite, "overwrite", false, "replace files that are there already")
	f.StringVar(&o.Identity.Modality, "modality", "OT", "of Secondary Capture objects")
	return c
}
