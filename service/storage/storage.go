// Package storage is the Storage Service Class (PS3.4 annex B).
package storage

import (
	"gantry/dicom/tag"
	"gantry/dimse"
)

// SCP returns the handler of C-STORE that hands objects to st. What the command set alone
// tells to be wrong is answered before st sees anything: no data set, or no valid SOP
// Instance UID, is C000H with the offending element. st's Body is what comes from the
// network, as it comes; an object that st did not read to its end is read away.
func SCP(st dimse.Storer) dimse.Handler {
	return dimse.HandlerFunc(func(w dimse.ResponseWriter, r *dimse.Request) {
		if se := check(r); se != nil {
			dimse.Fail(w, r, se)
			return
		}
		dimse.ServeStore(st, w, r)
	})
}

func check(r *dimse.Request) *dimse.StatusError {
	switch {
	case r.Data == nil:
		return &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "no data set", Offending: []tag.Tag{tag.CommandDataSetType}}
	case r.Command.AffectedClass == "":
		return &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "no SOP class", Offending: []tag.Tag{tag.AffectedSOPClassUID}}
	case r.Instance == "":
		return &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "no SOP instance", Offending: []tag.Tag{tag.AffectedSOPInstanceUID}}
	case len(r.Instance) > 64:
		return &dimse.StatusError{Status: dimse.UnableToProcess, Comment: "SOP instance UID too long", Offending: []tag.Tag{tag.AffectedSOPInstanceUID}}
	}
	return nil
}

// Register registers SCP for every storage class, those that the dictionary does not know
// included; a server's policy narrows that.
func Register(m *dimse.ServeMux, st dimse.Storer) { m.Handle(dimse.CStore, dimse.AnyClass, SCP(st)) }
