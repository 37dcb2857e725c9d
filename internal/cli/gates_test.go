//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

const dcmdump = "/usr/bin/dcmdump"

// folderOfCT writes n copies of the CT image of the samples, 512 x 512.
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
	ds, err := f.DataSet.Edit().SetInt(tag.Rows, 512).SetInt(tag.Columns, 512).
		SetBytes(tag.PixelData, vr.OW, make([]byte, 512*512*2)).Delete(0xFFFCFFFC).Build()
	if err != nil {
		b.Fatal(err)
	}
	var raw bytes.Buffer
	if err := part10.Write(&raw, f.Meta, ds, f.Syntax); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	for i := range n {
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
