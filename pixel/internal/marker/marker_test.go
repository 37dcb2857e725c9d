package marker

import (
	"bytes"
	"testing"
)

// TestRead reads what Append wrote, with fill bytes before it.
func TestRead(t *testing.T) {
	b := Append([]byte{7, 0xff}, SOF3, 1, 2, 3)
	s, err := Read(append(b, 9), 1)
	if err != nil || s.Code != SOF3 || !bytes.Equal(s.Body, []byte{1, 2, 3}) || s.Next != len(b) {
		t.Errorf("%+v %v", s, err)
	}
	if s, err := Read([]byte{0xff, EOI}, 0); err != nil || s.Code != EOI || s.Next != 2 {
		t.Errorf("%+v %v", s, err)
	}
	for n := range b[1:] {
		if s, err := Read(b[:n+1], 1); err == nil {
			t.Errorf("%d bytes read as %+v", n, s)
		}
	}
	if s, err := Read([]byte{0xff, DHT, 0, 1, 0}, 0); err == nil {
		t.Errorf("a length of 1 read as %+v", s)
	}
}

// TestFind skips what is stuffed.
func TestFind(t *testing.T) {
	b := []byte{0xff, 0, 0xff, 0x7f, 0xff, 0xff, 0xd0, 1}
	if at := Find(b, 0, 1); at != 2 {
		t.Errorf("found at %d", at)
	}
	if at := Find(b, 0, 0x80); at != 5 {
		t.Errorf("found at %d", at)
	}
	if at := Find(b, 6, 1); at != len(b) {
		t.Errorf("found at %d", at)
	}
}
