package retrieve

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"gantry/dicom/uid"
	"gantry/dimse"
)

// TestPreferring tries the syntaxes of a rule one after the other, and what the peer would
// be sent without it at last. The peer stands for dimse: it takes an object's own syntax, if
// it accepted that, and Implicit VR Little Endian.
func TestPreferring(t *testing.T) {
	cannot := errors.New("no encoder")
	for _, c := range []struct {
		what             string
		prefer, accepted []uid.UID
		sent             uid.UID
		opened           []uid.UID
	}{
		{"no rule", nil, []uid.UID{uid.ExplicitVRLittleEndian}, uid.ExplicitVRLittleEndian, []uid.UID{uid.ExplicitVRLittleEndian}},
		{"the first", []uid.UID{uid.RLELossless, uid.JPEGLSLossless}, []uid.UID{uid.JPEGLSLossless, uid.RLELossless}, uid.RLELossless, []uid.UID{uid.RLELossless}},
		{"the peer does not take the first", []uid.UID{uid.RLELossless, uid.JPEGLSLossless}, []uid.UID{uid.ExplicitVRLittleEndian, uid.JPEGLSLossless}, uid.JPEGLSLossless, []uid.UID{uid.JPEGLSLossless}},
		{"the first cannot be had", []uid.UID{uid.JPEGBaseline8Bit, uid.JPEGLSLossless}, []uid.UID{uid.JPEGBaseline8Bit, uid.JPEGLSLossless}, uid.JPEGLSLossless, []uid.UID{uid.JPEGBaseline8Bit, uid.JPEGLSLossless}},
		{"none", []uid.UID{uid.JPEGBaseline8Bit}, []uid.UID{uid.JPEGBaseline8Bit, uid.ExplicitVRLittleEndian}, uid.ExplicitVRLittleEndian, []uid.UID{uid.JPEGBaseline8Bit, uid.ExplicitVRLittleEndian}},
		{"its own, which is in the rule", []uid.UID{uid.ExplicitVRLittleEndian, uid.RLELossless}, []uid.UID{uid.RLELossless}, uid.RLELossless, []uid.UID{uid.RLELossless}},
	} {
		var sent uid.UID
		var opened []uid.UID
		o := &dimse.Outgoing{Syntax: uid.ExplicitVRLittleEndian, Open: func(_ context.Context, u uid.UID) (io.ReadCloser, error) {
			if opened = append(opened, u); u == uid.JPEGBaseline8Bit {
				return nil, cannot
			}
			return io.NopCloser(strings.NewReader("")), nil
		}}
		send := func(o *dimse.Outgoing) (dimse.Status, error) {
			err := error(&dimse.ErrNoContext{})
			for _, u := range []uid.UID{o.Syntax, uid.ImplicitVRLittleEndian} {
				if u != uid.ImplicitVRLittleEndian && !slices.Contains(c.accepted, u) {
					continue
				}
				if _, err = o.Open(t.Context(), u); err == nil {
					sent = u
					return dimse.Success, nil
				}
			}
			return 0, err
		}
		status, err := preferring(o, c.prefer, send)
		if err != nil || status != dimse.Success || sent != c.sent || !slices.Equal(opened, c.opened) {
			t.Errorf("%s: sent %s after %v: %v", c.what, sent, opened, err)
		}
	}
}

// TestContexts proposes for each class its own syntaxes, the rule's, uncompressed ones and
// others, and no more than an association has.
func TestContexts(t *testing.T) {
	var queue []*dimse.Outgoing
	for i := range 100 {
		queue = append(queue, &dimse.Outgoing{Class: uid.UID("1.2.3." + strings.Repeat("1", i%50+1)), Syntax: uid.RLELossless})
	}
	out, proposed := contexts(queue[:1], []uid.UID{uid.JPEGLSLossless}, []uid.UID{uid.JPEGLosslessSV1, uid.RLELossless})
	var got [][]uid.UID
	for _, c := range out {
		got = append(got, c.Syntaxes)
	}
	want := [][]uid.UID{{uid.RLELossless}, {uid.JPEGLSLossless}, {uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}, {uid.JPEGLosslessSV1, uid.RLELossless}}
	if !slices.EqualFunc(got, want, slices.Equal) || len(proposed) != 1 {
		t.Errorf("%v", got)
	}
	if out, proposed := contexts(queue, make([]uid.UID, 40), want[3]); len(out) > 128 || len(proposed) != 3 {
		t.Errorf("%d contexts for %d kinds", len(out), len(proposed))
	}
}
