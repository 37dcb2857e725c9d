// Package egress lays objects out for peers that do not take the transfer syntax that they
// are stored in (PS3.4 C.4.2, PS3.5 10): uncompressed forms turn into each other as they
// are read; images are decoded, or encoded without loss. Nothing is lossy here but what Derive
// makes. What arrives can be laid out anew in the same ways.
package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/pixel"
)

// Gate bounds what transcoding costs all together. It is safe for concurrent use.
type Gate struct {
	// Room, if set, is asked before more is written to the folder; its error ends the object.
	Room func() error

	dir   string
	slots chan struct{} // one for each object at work: its frames use every processor
	most  int64         // bytes of all objects that wait in memory
	held  atomic.Int64  // of those, in use
}

// New returns a Gate. dir is where objects wait that memory should not hold; empty is
// os.TempDir.
func New(dir string) *Gate {
	return &Gate{dir: dir, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))), most: maxAllInMemory}
}

const (
	maxInMemory = 16 << 20 // bytes of a finished object that waits in memory, the rest in a file
	maxObject   = 8 << 30  // bytes of a finished object

	maxAllInMemory = 256 << 20 // bytes of all objects that wait in memory
	maxFrames      = 64 << 20  // bytes of frames at work, of one object
)

// Error says that an object cannot be had in a transfer syntax.
type Error struct {
	From, To uid.UID
	Err      error
}

func (e *Error) Error() string {
	return fmt.Sprintf("cannot be turned from %s into %s: %v", e.From.Name(), e.To.Name(), e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Comment is the reason in the few words that Error Comment has room for (PS3.7 C.4.2.2.1.8),
// without anything of the object.
func (e *Error) Comment() string {
	var frame *pixel.FrameError
	if errors.As(e.Err, &frame) {
		return fmt.Sprintf("frame %d does not decode as %s", frame.Frame+1, keyword(e.From))
	}
	return fmt.Sprintf("no transcoding %s to %s", keyword(e.From), keyword(e.To))
}

func keyword(u uid.UID) string {
	if i, ok := uid.Lookup(u); ok && i.Keyword != "" {
		return i.Keyword
	}
	return string(u)
}

// Open returns the data set ds, which is stored in one transfer syntax, in another. What
// needs a codec is finished before Open returns, in memory or in a temporary file: once a
// message has begun, an object that fails could be ended only by ending the association,
// and every object behind it. Errors are *Error and those of ctx.
func (g *Gate) Open(ctx context.Context, ds *dicom.DataSet, from, to uid.UID) (io.ReadCloser, error) {
	if Native(from) && Native(to) && !deflated(to) {
		r, _, err := dicom.NewReader(ds, to)
		if err != nil {
			return nil, &Error{from, to, err}
		}
		return io.NopCloser(r), nil
	}
	_, out, err := g.transcode(ctx, ds, from, to, pixel.Options{})
	return out, err
}

// transcode finishes an object in a spool.
func (g *Gate) transcode(ctx context.Context, ds *dicom.DataSet, from, to uid.UID, o pixel.Options) (pixel.Result, io.ReadCloser, error) {
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return pixel.Result{}, nil, context.Cause(ctx)
	}
	s := g.spool(ctx)
	o.Limits, o.TempDir = pixel.Limits{MaxMemory: maxFrames}, g.dir
	did, err := pixel.TranscodeDataSet(ctx, s, ds, from, to, o)
	if err != nil {
		s.Close()
		if ctx.Err() != nil {
			return did, nil, context.Cause(ctx)
		}
		return did, nil, &Error{from, to, err}
	}
	if err := s.rewind(); err != nil {
		s.Close()
		return did, nil, err
	}
	return did, s, nil
}

// Native reports whether pixel data lies in a transfer syntax as it is (PS3.5 8.1.1): such
// syntaxes turn into each other without a codec.
func Native(u uid.UID) bool {
	i, ok := u.SyntaxInfo()
	return ok && !i.Encapsulated && !i.Referenced && !i.Foreign && !i.RealTime
}

func deflated(u uid.UID) bool {
	i, _ := u.SyntaxInfo()
	return i.Deflated
}

// Compressed are the compressed syntaxes that Open can make without loss and that are in
// use, best first. The slice is shared.
var Compressed = sync.OnceValue(func() []uid.UID {
	var out []uid.UID
	codecs := pixel.Builtin()
	for _, u := range []uid.UID{uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless, uid.HTJ2KLosslessRPCL, uid.HTJ2KLossless, uid.RLELossless} {
		if c, ok := codecs.Lookup(u); ok && c.Encoder != nil {
			out = append(out, u)
		}
	}
	return out
})
