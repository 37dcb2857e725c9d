// Package dicom is the data model of DICOM: data elements and data sets as bytes
// that stay where they are until somebody asks (PS3.5, PS3.10).
//
// A DataSet is one flat array of records over one buffer. Decoding finds where every
// element begins and ends, items included, and converts nothing; typed access reads
// the bytes when called. Large values never enter the buffer: they stay in the file or
// blob they came from, behind io.ReaderAt.
//
// Every deviation from the standard that decoding gets over is reported as a Flaw, and
// the bytes are kept: a data set that is decoded and encoded again under its own
// transfer syntax comes out bit for bit.
package dicom
