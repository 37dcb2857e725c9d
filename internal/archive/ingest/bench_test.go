package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/internal/archive/blob/fsblob"
	"gantry/internal/archive/index/sqlite"
	"gantry/internal/archive/ingest"
	"gantry/internal/vfs"
)

// ctSize is what a 512x512 CT image has in a file.
const ctSize = 528 << 10

// ctObject returns bytes with 124 attributes before 512 KiB of pixels, and where the UID
// stands in them, so that a benchmark can make it another object.
func ctObject(b *testing.B) (data []byte, at int) {
	b.Helper()
	o := sample(0)
	o.SOP = "1.2.3.000000000000"
	e := o.DataSet(b).Edit()
	for i := range 110 {
		e.SetBytes(tag.New(0x0018, uint16(0x9004+2*i)), vr.LO, fmt.Appendf(nil, "value number %d", i))
	}
	ds, err := e.SetBytes(tag.PixelData, vr.OW, make([]byte, 512<<10)).Build()
	if err != nil {
		b.Fatal(err)
	}
	data, err = dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		b.Fatal(err)
	}
	for i := range data {
		if string(data[i:i+len(o.SOP)]) == string(o.SOP) {
			return data, i
		}
	}
	b.Fatal("no UID")
	return nil, 0
}

// BenchmarkCommit stores 528 KB objects durably, beside the disk's own limit: append and
// fdatasync of the same sizes with the same number of writers.
func BenchmarkCommit(b *testing.B) {
	for _, senders := range []int{1, 4} {
		b.Run(fmt.Sprintf("ingest/%d", senders), func(b *testing.B) { benchIngest(b, senders) })
		b.Run(fmt.Sprintf("append+fdatasync/%d", senders), func(b *testing.B) { benchAppend(b, senders) })
	}
}

func benchDir(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp(os.Getenv("GANTRY_BENCH_DIR"), "gantry-bench")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func benchIngest(b *testing.B, senders int) {
	dir := benchDir(b)
	ctx := context.Background()
	x, err := sqlite.Open(ctx, filepath.Join(dir, "index.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	s, err := fsblob.Open(ctx, dir, fsblob.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	in, err := ingest.New(ctx, s, x, ingest.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer in.Close()
	data, at := ctObject(b)
	b.SetBytes(int64(len(data)))
	parallel(b, senders, func() func(n int64) error {
		mine := append([]byte(nil), data...)
		return func(n int64) error {
			u := fmt.Sprintf("1.2.3.%012d", n)
			copy(mine[at:], u)
			_, err := send(in, ingest.Hint{Source: "CT1", Class: uid.CTImageStorage, Instance: uid.UID(u), Syntax: uid.ExplicitVRLittleEndian}, mine)
			return err
		}
	})
}

func benchAppend(b *testing.B, senders int) {
	dir := benchDir(b)
	f, err := vfs.OS{}.OpenFile(filepath.Join(dir, "log"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var end atomic.Int64
	b.SetBytes(ctSize)
	parallel(b, senders, func() func(int64) error {
		data := make([]byte, ctSize)
		return func(int64) error {
			if _, err := f.WriteAt(data, end.Add(ctSize)-ctSize); err != nil {
				return err
			}
			return f.Sync()
		}
	})
}

// parallel runs b.N operations on some goroutines.
func parallel(b *testing.B, senders int, start func() func(n int64) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range senders {
		op := start()
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := op(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}
