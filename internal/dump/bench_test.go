//go:build unix

package dump

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// ctFile writes the CT image of the samples with the size that most have: 512 x 512.
func ctFile(b *testing.B, dir string) []byte {
	f, err := part10.Open(filepath.Join(dir, "pydicom+pydicom/src/pydicom/data/test_files/CT_small.dcm"), dicom.DecodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	ds, err := f.DataSet.Edit().SetInt(tag.Rows, 512).SetInt(tag.Columns, 512).
		SetBytes(tag.PixelData, vr.OW, make([]byte, 512*512*2)).Delete(0xFFFCFFFC).Build()
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	if err := part10.Write(&out, f.Meta, ds, f.Syntax); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkText is the printing alone.
func BenchmarkText(b *testing.B) {
	raw := ctFile(b, needs(b))
	f, err := part10.NewFile(bytes.NewReader(raw), int64(len(raw)), dicom.DecodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Text(io.Discard, f, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFolder reads a folder of 500 CT files, here and by dcmdump, once each a round,
// and reports files per second of processor time of both and their ratio. Header is read up
// to the pixel data, whole with it in memory, and dcmdump prints one element of each.
// Printing is measured by the program: see package cli.
func BenchmarkFolder(b *testing.B) {
	names := ctFolder(b)
	one := []string{"-q", "+P", "0010,0020"}
	for _, c := range []struct {
		name  string
		ours  func(*testing.B, []string)
		flags []string
	}{
		{"header", parser(dicom.DecodeOptions{Until: tag.PixelData}), append(one, "+sb", "7fe0,0010")},
		{"whole", parser(dicom.DecodeOptions{BulkMin: -1}), one},
	} {
		b.Run(c.name, func(b *testing.B) {
			var ours, theirs time.Duration
			c.ours(b, names[:50])
			for b.Loop() {
				start := processorTime(b)
				c.ours(b, names)
				ours += processorTime(b) - start
				cmd := exec.Command(dcmdump, append(c.flags, names...)...)
				err := cmd.Run()
				if _, exit := err.(*exec.ExitError); err != nil && !exit {
					b.Fatal(err)
				}
				theirs += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			n := float64(len(names) * b.N)
			b.ReportMetric(n/ours.Seconds(), "files/core-s")
			b.ReportMetric(n/theirs.Seconds(), "dcmdump-files/core-s")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-dcmdump")
		})
	}
}

func ctFolder(b *testing.B) []string {
	raw := ctFile(b, needs(b))
	dir := b.TempDir()
	var names []string
	for i := range 500 {
		names = append(names, filepath.Join(dir, fmt.Sprintf("%04d.dcm", i)))
		if err := os.WriteFile(names[i], raw, 0o666); err != nil {
			b.Fatal(err)
		}
	}
	return names
}

func parser(o dicom.DecodeOptions) func(*testing.B, []string) {
	return func(b *testing.B, names []string) {
		for _, name := range names {
			f, err := part10.Open(name, o)
			if err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	}
}

// processorTime is what the process used so far, in user and system mode.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
