//go:build unix

package dcmjson

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
)

// BenchmarkFolder writes real files as JSON, and has dcm2json do the same with a process
// for each, as it must. It reports files per second of processor time and the ratio.
func BenchmarkFolder(b *testing.B) {
	var names []string
	samples(b, func(name string, f *part10.File) {
		if f.Size() < 600<<10 && len(names) < 100 {
			names = append(names, filepath.Join(os.Getenv("GANTRY_SAMPLES"), name))
		}
	})
	var theirs time.Duration
	for _, name := range names {
		cmd := exec.Command(dcm2json, "-q", name)
		cmd.Run()
		if cmd.ProcessState == nil {
			b.Skip("no dcm2json")
		}
		theirs += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	start := processorTime(b)
	for b.Loop() {
		for _, name := range names {
			f, err := part10.Open(name, dicom.DecodeOptions{})
			if err != nil {
				b.Fatal(err)
			}
			Encode(io.Discard, f.DataSet, EncodeOptions{})
			f.Close()
		}
	}
	ours := (processorTime(b) - start) / time.Duration(b.N)
	b.ReportMetric(float64(len(names))/ours.Seconds(), "files/core-s")
	b.ReportMetric(float64(len(names))/theirs.Seconds(), "dcm2json-files/core-s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-dcm2json")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
