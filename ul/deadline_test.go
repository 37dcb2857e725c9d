package ul

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"
)

func TestRequestGivenUp(t *testing.T) {
	cn, _ := tcpPair(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := Request(ctx, cn, simpleRQ(), Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	cn, _ = tcpPair(t)
	var te *TimeoutError
	if _, err := Request(t.Context(), cn, simpleRQ(), Options{ARTIM: 30 * time.Millisecond}); !errors.As(err, &te) || te.State != Sta5 {
		t.Error(err)
	}
}

func TestDeadlines(t *testing.T) {
	t.Run("ARTIM", func(t *testing.T) {
		_, sn := tcpPair(t)
		s := NewAcceptor(sn, Options{ARTIM: 30 * time.Millisecond})
		var te *TimeoutError
		if _, err := s.ReadRequest(); !errors.As(err, &te) || te.State != Sta2 {
			t.Error(err)
		}
		s.Close()
	})
	t.Run("ARTIM is for all of the request", func(t *testing.T) {
		cn, sn := tcpPair(t)
		rq, _ := simpleRQ().Append(nil)
		go func() {
			for _, b := range rq {
				cn.Write([]byte{b})
				time.Sleep(5 * time.Millisecond)
			}
		}()
		s := NewAcceptor(sn, Options{ARTIM: 60 * time.Millisecond})
		start := time.Now()
		if _, err := s.ReadRequest(); err == nil {
			t.Error("the request arrived")
		}
		if d := time.Since(start); d > 500*time.Millisecond {
			t.Error(d)
		}
		s.Close()
	})
	t.Run("idle", func(t *testing.T) {
		c, s := pair(t, Options{}, Options{})
		s.StartMessage(30 * time.Millisecond)
		for range 2 {
			if _, err := s.NextPDV(); !errors.Is(err, ErrIdle) || s.State() != Sta6 {
				t.Error(err)
			}
		}
		go c.WriteMessage(1, []byte("x"), nil)
		s.StartMessage(time.Second)
		if _, err := s.NextPDV(); err != nil {
			t.Error(err)
		}
		c.nc.Close()
		s.Close()
	})
	t.Run("inside a PDU", func(t *testing.T) {
		c, s := pair(t, Options{}, Options{Read: 30 * time.Millisecond})
		c.nc.Write([]byte{4, 0, 0})
		var te *TimeoutError
		if _, err := s.NextPDV(); !errors.As(err, &te) {
			t.Error(err)
		}
		c.nc.Close()
		s.Close()
	})
	t.Run("slow trickle", func(t *testing.T) {
		c, s := pair(t, Options{}, Options{Read: 100 * time.Millisecond, MinRate: 1 << 20})
		go func() {
			c.nc.Write(AppendPData(nil, 1, true, false, nil))
			for range 100 {
				if _, err := c.nc.Write(AppendPData(nil, 1, true, false, []byte("ab"))); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		start := time.Now()
		_, _, _, err := readSet(s)
		var te *TimeoutError
		if d := time.Since(start); !errors.As(err, &te) || d > 600*time.Millisecond {
			t.Error(d, err)
		}
		c.nc.Close()
		s.Close()
	})
	t.Run("own slowness is free", func(t *testing.T) {
		c, s := pair(t, Options{}, Options{Read: 60 * time.Millisecond})
		defer c.Close()
		go c.WriteMessage(1, []byte("x"), make([]byte, 8192))
		if _, _, _, err := readSet(s); err != nil {
			t.Fatal(err)
		}
		if _, err := s.NextPDV(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(150 * time.Millisecond)
		if n, err := io.Copy(io.Discard, s); n != 8192 || err != nil {
			t.Error(n, err)
		}
		go s.Close()
	})
	t.Run("write", func(t *testing.T) {
		c, _ := pair(t, Options{Write: 50 * time.Millisecond}, Options{})
		err := c.WriteMessage(1, []byte("x"), make([]byte, 64<<20))
		var te *TimeoutError
		if !errors.As(err, &te) {
			t.Error(err)
		}
	})
}

// TestHugeLengthCostsNothing is attack S02: a length near 4 GiB and ten bytes.
func TestHugeLengthCostsNothing(t *testing.T) {
	for _, limit := range []uint32{0, Unlimited} {
		c, s := pair(t, Options{}, Options{MaxLength: limit, Read: 50 * time.Millisecond})
		c.nc.Write([]byte{4, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0, 1, 0, 1, 2, 3, 4})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, _, _, err := readSet(s)
		runtime.ReadMemStats(&after)
		if err == nil || time.Since(start) > time.Second {
			t.Error(err, time.Since(start))
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%d bytes allocated", grown)
		}
		c.nc.Close()
		s.Close()
	}
	cn, sn := tcpPair(t)
	cn.Write([]byte{1, 0, 0, 0x0f, 0xff, 0xff, 0, 1, 0, 0}) // under the cap: memory must follow the bytes
	s := NewAcceptor(sn, Options{ARTIM: 50 * time.Millisecond})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := s.ReadRequest(); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
		t.Errorf("%d bytes allocated", grown)
	}
	s.Close()
}
