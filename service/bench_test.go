package service_test

import (
	"context"
	"io"
	"net"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/dimse"
)

// BenchmarkGet retrieves 50 objects of 528 KB by C-GET; the receiver drops them.
func BenchmarkGet(b *testing.B) {
	arch := new(dicomtest.Archive)
	for i := range 50 {
		if err := arch.Add(dicomtest.Object{N: i, Pixels: 528 << 10}); err != nil {
			b.Fatal(err)
		}
	}
	addr := dicomtest.Serve(b, &dimse.Server{Handler: arch.Mux(nil)})
	a := dicomtest.Dial(b, addr, dimse.Context{Class: studyGet}, dimse.Context{Class: uid.CTImageStorage, OnlySCP: true})
	key := keys(b, "STUDY", tag.StudyInstanceUID, dicomtest.Study(0))
	buf := make([]byte, 64<<10)
	drop := dimse.StorerFunc(func(_ context.Context, in *dimse.Incoming) error {
		for {
			if _, err := in.Body.Read(buf); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
	b.SetBytes(50 * 528 << 10)
	for b.Loop() {
		if _, last, err := retrieved(a.Get(context.Background(), studyGet, key, drop)); err != nil || last.Completed != 50 {
			b.Fatalf("%+v %v", last, err)
		}
	}
}

// BenchmarkRawLoopback is the floor of BenchmarkGet: the same bytes from one socket to another.
func BenchmarkRawLoopback(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf := make([]byte, 128<<10)
		for {
			if _, err := c.Write(buf); err != nil {
				return
			}
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 64<<10)
	b.SetBytes(50 * 528 << 10)
	for b.Loop() {
		for left := 50 * 528 << 10; left > 0; {
			n, err := c.Read(buf[:min(left, len(buf))])
			if err != nil {
				b.Fatal(err)
			}
			left -= n
		}
	}
}

// BenchmarkFind answers a query with 100 answers.
func BenchmarkFind(b *testing.B) {
	addr := dicomtest.Serve(b, &dimse.Server{Handler: filled(b, 100).Mux(nil)})
	a := dicomtest.Dial(b, addr, dimse.Context{Class: studyFind})
	key := keys(b, "SERIES", tag.StudyInstanceUID, dicomtest.Study(0), tag.SeriesInstanceUID, "", tag.Modality, "")
	b.ReportAllocs()
	for b.Loop() {
		if got, err := find(a, studyFind, key); err != nil || len(got) != 10 {
			b.Fatal(len(got), err)
		}
	}
}
