package obs

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// The levels beside those of slog.
const (
	LevelTrace    = slog.Level(-8)
	LevelCritical = slog.Level(12)
)

// ParseLevel reads trace, debug, info, warning, error or critical.
func ParseLevel(s string) slog.Level {
	switch strings.ToLower(s) {
	case "trace":
		return LevelTrace
	case "debug":
		return slog.LevelDebug
	case "warning", "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	case "critical":
		return LevelCritical
	}
	return slog.LevelInfo
}

// Log is a logger whose level and file can change while it is in use.
type Log struct {
	*slog.Logger
	level slog.LevelVar
	out   *output
}

// output writes to the console and to a file that can be opened again.
type output struct {
	mu      sync.Mutex
	console io.Writer
	file    *os.File
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var err error
	if o.console != nil {
		_, err = o.console.Write(p)
	}
	if o.file != nil {
		_, e := o.file.Write(p)
		err = errors.Join(err, e)
	}
	return len(p), err
}

// NewLog writes messages of a level and above to console, if not nil, and to a file, if
// named; its folder is made.
func NewLog(console io.Writer, file, level string) (*Log, error) {
	l := &Log{out: &output{console: console}}
	l.level.Set(ParseLevel(level))
	if err := l.Reopen(file); err != nil {
		return nil, err
	}
	l.Logger = slog.New(slog.NewTextHandler(l.out, &slog.HandlerOptions{Level: &l.level, ReplaceAttr: levelNames}))
	return l, nil
}

func levelNames(_ []string, a slog.Attr) slog.Attr {
	if a.Key != slog.LevelKey {
		return a
	}
	switch a.Value.Any() {
	case LevelTrace:
		a.Value = slog.StringValue("TRACE")
	case LevelCritical:
		a.Value = slog.StringValue("CRITICAL")
	}
	return a
}

// SetLevel changes the level.
func (l *Log) SetLevel(level string) { l.level.Set(ParseLevel(level)) }

// Reopen goes on in another file, or in the same one after it was moved away.
func (l *Log) Reopen(name string) error {
	var f *os.File
	if name != "" {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		var err error
		if f, err = os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return err
		}
	}
	l.out.mu.Lock()
	old := l.out.file
	l.out.file = f
	l.out.mu.Unlock()
	if old != nil {
		return old.Close()
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.Reopen("") }

// Trace logs at LevelTrace.
func (l *Log) Trace(msg string, args ...any) {
	l.Log(context.Background(), LevelTrace, msg, args...)
}
