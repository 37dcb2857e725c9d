//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
)

const dcmdump = "/usr/bin/dcmdump"

// folderOfCT writes n copies of the CT image of the samples, 512 x 512, as n instances.
func folderOfCT(b *testing.B, n int) string {
	b.Helper()
	samples := os.Getenv("GANTRY_SAMPLES")
	if _, err := os.Stat(dcmdump); err != nil || samples == "" {
		b.Skip("GANTRY_SAMPLES IS NOT SET or dcmdump is missing: nothing was measured")
	}
	f, err := part10.Open(filepath.Join(samples, "pydicom+pydicom/src/pydicom/data/test_files/CT_small.dcm"), dicom.DecodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	dir := b.TempDir()
	for i := range n {
		ds, err := f.DataSet.Edit().SetInt(tag.Rows, 512).SetInt(tag.Columns, 512).SetUID(tag.SOPInstanceUID, uid.UID(fmt.Sprint("1.2.", i+1))).
			SetBytes(tag.PixelData, vr.OW, make([]byte, 512*512*2)).Delete(0xFFFCFFFC).Build()
		if err != nil {
			b.Fatal(err)
		}
		var raw bytes.Buffer
		if err := part10.Write(&raw, f.Meta, ds, f.Syntax); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.dcm", i)), raw.Bytes(), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// processor is the processor time that a program takes, start and end included.
func processor(b *testing.B, program string, args ...string) time.Duration {
	b.Helper()
	cmd := exec.Command(program, args...)
	if err := cmd.Run(); err != nil {
		b.Fatal(program, err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// BenchmarkDumpFolder prints a folder of 3,000 CT files with gantry dump and with dcmdump,
// in turn, and reports the ratio of their processor times: gate F1 is 10.
func BenchmarkDumpFolder(b *testing.B) {
	program, dir := build(b), folderOfCT(b, 3000)
	processor(b, program, "dump", "-r", dir)
	var ours, theirs time.Duration
	for b.Loop() {
		ours += processor(b, program, "dump", "-r", dir)
		theirs += processor(b, dcmdump, "+sd", "+r", dir)
	}
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-dcmdump")
}

// BenchmarkStart prints one file with gantry dump and with dcmdump, in turn, and reports
// how much of dcmdump's processor time ours is: gate F3 is 2.
func BenchmarkStart(b *testing.B) {
	program, dir := build(b), folderOfCT(b, 1)
	name := filepath.Join(dir, "00000.dcm")
	var ours, theirs time.Duration
	for b.Loop() {
		ours += processor(b, program, "dump", name)
		theirs += processor(b, dcmdump, name)
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "of-dcmdump")
}

// BenchmarkImport imports a folder of CT files into a new archive, and beside it copies
// their bytes into one file that is synced at the end, and reads their headers on all
// processors: gate S5 is 70 % of the slower of these.
func BenchmarkImport(b *testing.B) {
	const n = 1200
	program, dir := build(b), folderOfCT(b, n)
	names, err := filepath.Glob(filepath.Join(dir, "*.dcm"))
	if err != nil || len(names) != n {
		b.Fatal(err, len(names))
	}
	copyAndSync(b, names)
	var ours, disk, parser []float64
	for b.Loop() {
		for range 3 {
			archive := b.TempDir()
			ours = append(ours, seconds(func() { processor(b, program, "import", dir, "--storage-dir", archive) }))
			disk = append(disk, seconds(func() { copyAndSync(b, names) }))
			parser = append(parser, seconds(func() { readHeaders(b, names) }))
			os.RemoveAll(archive)
		}
	}
	b.ReportMetric(max(median(disk), median(parser))/median(ours), "x-limit")
}

func seconds(work func()) float64 {
	begun := time.Now()
	work()
	return time.Since(begun).Seconds()
}

func median(s []float64) float64 {
	slices.Sort(s)
	return s[len(s)/2]
}

func copyAndSync(b *testing.B, names []string) {
	out, err := os.Create(filepath.Join(b.TempDir(), "all"))
	if err != nil {
		b.Fatal(err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err == nil {
			_, err = out.Write(data)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := out.Sync(); err != nil {
		b.Fatal(err)
	}
}

func readHeaders(b *testing.B, names []string) {
	var wg sync.WaitGroup
	for part := range slices.Chunk(names, (len(names)+runtime.NumCPU()-1)/runtime.NumCPU()) {
		wg.Go(func() {
			for _, name := range part {
				f, err := part10.Open(name, dicom.DecodeOptions{})
				if err != nil {
					b.Error(err)
					return
				}
				f.Close()
			}
		})
	}
	wg.Wait()
}
