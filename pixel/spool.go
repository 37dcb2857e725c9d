package pixel

import (
	"io"
	"os"
)

// spool keeps bytes in memory up to a limit, then in a temporary file.
type spool struct {
	max int64
	dir string
	mem []byte
	f   *os.File
	n   int64 // bytes written
}

func (s *spool) Write(b []byte) (int, error) {
	s.n += int64(len(b))
	if s.f == nil && s.n <= s.max {
		s.mem = append(s.mem, b...)
		return len(b), nil
	}
	if s.f == nil {
		f, err := os.CreateTemp(s.dir, "gantry-frames-*")
		if err != nil {
			return 0, err
		}
		s.f = f
	}
	return s.f.Write(b)
}

// writeTo writes everything that was written.
func (s *spool) writeTo(w io.Writer) error {
	if _, err := w.Write(s.mem); err != nil || s.f == nil {
		return err
	}
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.f)
	return err
}

func (s *spool) close() {
	if s.f != nil {
		s.f.Close()
		os.Remove(s.f.Name())
	}
}
