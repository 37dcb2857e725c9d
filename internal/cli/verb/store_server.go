package verb

import (
	"context"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gantry/dimse"
)

// StoreServer takes objects (PS3.4 annex B) and keeps them as files.
type StoreServer struct {
	Listen
	Folder      Folder
	Index       string        // index of what is kept, for qr_scp; empty for none
	SleepAfter  time.Duration // before each response
	SleepDuring time.Duration // before each object is read
	Exec        string        // command to run for each object kept: words with #p #f #a #c in them
	ExecSync    bool          // wait for it before the next
}

// Run serves until it is told to stop.
func (o *StoreServer) Run(ctx context.Context, s *Stdio) (err error) {
	if o.Folder.Dir == "" {
		return Fail(Usage, "the folder to keep objects in is missing")
	}
	if err := o.Folder.prepare(); err != nil {
		return Fail(Output, "%w", err)
	}
	if o.Index != "" {
		c, err := openCatalog(ctx, o.Index)
		if err != nil {
			return Fail(Output, "index: %w", err)
		}
		defer c.close()
		o.Folder.kept = append(o.Folder.kept, func(ctx context.Context, name string, _ *dimse.Incoming) error { return c.add(ctx, name) })
	}
	if o.Exec != "" {
		o.Folder.kept = append(o.Folder.kept, o.exec(s))
	}
	started := time.Now()
	server, err := o.serve(ctx, s, receiver(dimse.StorerFunc(o.store)), nil)
	o.statistics(s, server, started, stat{"Images Received", o.Folder.files.Load()}, stat{"Bytes Received", size(o.Folder.bytes.Load())})
	return err
}

// store keeps an object, with the disturbances asked for.
func (o *StoreServer) store(ctx context.Context, in *dimse.Incoming) error {
	if pause(ctx, o.SleepDuring) != nil {
		return context.Cause(ctx)
	}
	err := o.Folder.Store(ctx, in)
	if e := pause(ctx, o.SleepAfter); e != nil && err == nil {
		err = e
	}
	return err
}

// maxCommands bounds commands at a time.
const maxCommands = 16

// exec runs the command for an object. No shell sees what came from the network: the words
// are split first.
func (o *StoreServer) exec(s *Stdio) func(context.Context, string, *dimse.Incoming) error {
	log := quietLog(s, o.Say)
	room := make(chan struct{}, maxCommands)
	return func(ctx context.Context, name string, in *dimse.Incoming) error {
		values := strings.NewReplacer("#p", filepath.Dir(name), "#f", filepath.Base(name),
			"#a", string(in.Peer.Calling), "#c", string(in.Peer.Called), "#r", in.Peer.Host())
		words := strings.Fields(o.Exec)
		for i := range words {
			words[i] = values.Replace(words[i])
		}
		cmd := exec.CommandContext(context.WithoutCancel(ctx), words[0], words[1:]...)
		cmd.Stdout, cmd.Stderr = s.Out, s.Err
		if o.ExecSync {
			return logged(log, cmd.Run())
		}
		room <- struct{}{}
		go func() {
			defer func() { <-room }()
			logged(log, cmd.Run())
		}()
		return nil
	}
}

// logged writes an error to the log: the object is kept all the same.
func logged(log *slog.Logger, err error) error {
	if err != nil {
		log.Warn("command", "err", err)
	}
	return nil
}
