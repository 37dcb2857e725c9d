// Package verify is the Verification Service Class (PS3.4 annex A).
package verify

import (
	"gantry/dicom/uid"
	"gantry/dimse"
)

// SCP returns the handler of C-ECHO: it answers Success.
func SCP() dimse.Handler {
	return dimse.HandlerFunc(func(w dimse.ResponseWriter, _ *dimse.Request) {
		w.Final(dimse.Success, nil) // an error ends the association by itself
	})
}

// Register registers SCP for the Verification SOP class.
func Register(m *dimse.ServeMux) { m.Handle(dimse.CEcho, uid.Verification, SCP()) }
