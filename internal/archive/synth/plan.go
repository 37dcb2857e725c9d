// Package synth fills an empty archive with people and images that never were, as many as
// are asked for, so that speed can be measured at the size of a hospital's archive.
package synth

import (
	"errors"
	"fmt"
)

// Plan says how much is made and how it lies together. The same plan makes the same
// archive.
type Plan struct {
	Instances  int64 // in all
	PerSeries  int64 // instances of a series
	PerStudy   int64 // series of a study
	PerPatient int64 // studies of a patient
	Pixels     int   // bytes of pixel data an instance
	Seed       int64 // another seed makes other UIDs and other people
	IndexOnly  bool  // no objects: they can be searched for, but not retrieved
}

// The bounds of a plan.
const (
	maxInstances = 1 << 33
	maxPixels    = 1 << 20
)

// Check returns what is wrong with the plan.
func (p *Plan) Check() error {
	var errs []error
	for _, n := range []struct {
		name        string
		have, least int64
		most        int64
	}{
		{"instances", p.Instances, 1, maxInstances},
		{"instances of a series", p.PerSeries, 1, maxInstances},
		{"series of a study", p.PerStudy, 1, maxInstances},
		{"studies of a patient", p.PerPatient, 1, maxInstances},
		{"bytes of pixel data", int64(p.Pixels), 2, maxPixels},
	} {
		if n.have < n.least || n.have > n.most {
			errs = append(errs, fmt.Errorf("%d %s: want %d to %d", n.have, n.name, n.least, n.most))
		}
	}
	return errors.Join(errs...)
}

// Series, Studies and Patients are how many of them the plan makes.
func (p *Plan) Series() int64   { return ceil(p.Instances, p.PerSeries) }
func (p *Plan) Studies() int64  { return ceil(p.Series(), p.PerStudy) }
func (p *Plan) Patients() int64 { return ceil(p.Studies(), p.PerPatient) }

func ceil(a, b int64) int64 { return (a-1)/b + 1 }

// Size is what an archive takes on disk, in bytes.
type Size struct{ Log, Index int64 }

// Total is both together.
func (s Size) Total() int64 { return s.Log + s.Index }

// Scaled is what n instances take when have of them take s. The index of a large archive
// has deeper trees and splits pages as it grows: a fifth is added.
func (s Size) Scaled(have, n int64) Size {
	f := float64(n) / float64(have)
	return Size{int64(float64(s.Log) * f), int64(float64(s.Index) * f * 1.2)}
}
