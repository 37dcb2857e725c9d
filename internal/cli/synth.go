package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gantry/internal/archive/synth"
	"gantry/internal/config"
	"gantry/internal/server"
)

func newSynth(stdio *Stdio) *cobra.Command {
	var where offlineFlags
	var p synth.Plan
	c := command("synth", "Make a large archive of images that never were", &cobra.Command{
		Long: `Make a large archive of people and images that never were, to measure speed at the size of a
hospital. The same numbers make the same archive. It says first how much it will take, and
refuses when less than one and a half times that is free. The folder must not hold an archive.`,
		Example: `  gantry synth --storage-dir big --instances 1000000
  gantry synth --storage-dir ct --instances 200000 --per-series 500 --per-study 2
  gantry synth --storage-dir index --instances 20000000 --index-only
  gantry serve --storage-dir big`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := where.load(stdio.Environ)
			if err != nil {
				return err
			}
			if err := p.Check(); err != nil {
				return fail(ExitUsage, "%w", err)
			}
			return runSynth(c.Context(), stdio, cfg, &p)
		},
	})
	where.flags(c)
	f := c.Flags()
	f.Int64Var(&p.Instances, "instances", 10_000, "instances in all")
	f.Int64Var(&p.PerSeries, "per-series", 10, "instances of a series")
	f.Int64Var(&p.PerStudy, "per-study", 1, "series of a study")
	f.Int64Var(&p.PerPatient, "per-patient", 2, "studies of a patient")
	f.IntVar(&p.Pixels, "pixels", 64, "bytes of pixel data of an instance")
	f.Int64Var(&p.Seed, "seed", 1, "another seed makes other people and other UIDs")
	f.BoolVar(&p.IndexOnly, "index-only", false, "make the index without objects: they can be searched for but not retrieved")
	return c
}

func runSynth(ctx context.Context, stdio *Stdio, cfg *config.Config, p *synth.Plan) error {
	fmt.Fprintf(stdio.Err, "%d patients, %d studies, %d series, %d instances\n", p.Patients(), p.Studies(), p.Series(), p.Instances)
	announce := func(s synth.Size) {
		fmt.Fprintf(stdio.Err, "about %d MB: %d of objects, %d of index\n", s.Total()>>20, s.Log>>20, s.Index>>20)
	}
	if err := server.Synth(ctx, cfg, p, stdio.Err, announce, howFar(stdio, p.Instances)); err != nil {
		return fail(ExitFailed, "synth: %w", err)
	}
	fmt.Fprintf(stdio.Out, "%d instances in %s\n", p.Instances, cfg.Storage.Directory)
	return nil
}

// howFar prints now and then how many of all are done, and what time is left at that rate.
func howFar(stdio *Stdio, all int64) func(int64) {
	begun, last := time.Now(), time.Now()
	return func(done int64) {
		if time.Since(last) < 10*time.Second {
			return
		}
		last = time.Now()
		left := time.Duration(float64(time.Since(begun)) / float64(done) * float64(all-done))
		fmt.Fprintf(stdio.Err, "%d of %d, %s left\n", done, all, left.Round(time.Second))
	}
}
