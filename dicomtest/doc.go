// Package dicomtest helps to test DICOM programs: objects made up on the spot, an archive
// in memory, a peer that follows a script of raw PDUs, and connections that fail on purpose.
// It is for tests; production code does not import it.
package dicomtest
