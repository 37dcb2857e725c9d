// Package verb is what the command line does: for each verb a struct of its options and a
// Run. It does not know how the options were spelled; the grammars of packages cli and
// compat fill the same structs.
package verb

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Stdio is what a command talks to.
type Stdio struct {
	In       io.Reader
	Out, Err io.Writer
	Environ  []string
}

// Outcome is how a verb ended. Each grammar has its own exit code for it.
type Outcome uint8

// The outcomes, Done being success.
const (
	Done    Outcome = iota
	Partial         // some of it was done, some failed
	Nothing         // nothing was found
	Failed          // nothing was done
	Usage           // wrong arguments
	Connect         // no association
	NoInput         // no file to work on
	Output          // a file cannot be written
)

// Error is an outcome other than Done. Err is nil when the verb has said everything
// itself.
type Error struct {
	Outcome Outcome
	Err     error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return "failed"
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Fail returns an *Error with a message.
func Fail(o Outcome, format string, args ...any) error { return &Error{o, fmt.Errorf(format, args...)} }

// Ended returns an *Error without one, nil for Done.
func Ended(o Outcome) error {
	if o == Done {
		return nil
	}
	return &Error{o, nil}
}

// Form is the shape of what a verb prints.
type Form uint8

// The forms: Gantry's own, those of the described tools with options before or after
// "peer port" and with "host port AE", DCMTK's, and odil's.
const (
	Modern Form = iota
	Described
	Described3
	DCMTK
	Odil
)

// Level is how much is said beside the results.
type Level int8

// The levels.
const (
	Quiet   Level = iota - 1 // not even errors
	Normal                   // errors and warnings
	Verbose                  // what is being done
	Debug                    // and with what
)

// Common is what all verbs have.
type Common struct {
	Form Form
	Say  Level
	JSON bool // modern verbs: what came of it as a JSON object
}

// says prints a line about the work at a level: to standard error, so that results can be
// piped. The described tools talk on standard output.
func (c *Common) says(s *Stdio, l Level, format string, args ...any) {
	if l > c.Say {
		return
	}
	w := s.Err
	if (c.Form == Described || c.Form == Described3) && l >= Verbose {
		w = s.Out
	}
	fmt.Fprintf(w, c.prefix(l)+format+"\n", args...)
}

func (c *Common) prefix(l Level) string {
	i := min(max(l-Normal, 0), 2)
	switch c.Form {
	case Odil: // as Python's logging has it
		return [...]string{"WARNING:root:", "INFO:root:", "DEBUG:root:"}[i]
	case DCMTK:
		return [...]string{"W: ", "I: ", "D: "}[i]
	}
	return ""
}

// isTerminal reports whether w is a terminal: only there lines are redrawn.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
