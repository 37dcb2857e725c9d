package service_test

import (
	"testing"

	"gantry/dicom/part10"
	"gantry/dimse"
)

// TestOneImplementation: files and associations name the same implementation.
func TestOneImplementation(t *testing.T) {
	if dimse.ImplementationClass != part10.ImplementationClassUID || dimse.ImplementationVersion != part10.ImplementationVersionName {
		t.Error("package dimse and package part10 name different implementations")
	}
}
