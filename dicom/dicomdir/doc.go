// Package dicomdir reads and writes the Basic Directory of a medium, the file DICOMDIR
// (PS3.10 chapter 8, PS3.3 annex F).
//
// A directory is a tree of records: patients, their studies, the series of these, and for
// each file a record of what is in it. In the file the records are items of one sequence
// that refer to each other by offsets. Read follows them with distrust: a record is in the
// tree once at most, whatever the offsets say, and everything that is wrong is told.
//
// A Builder makes the directory of any number of objects, holding of each only its record.
package dicomdir
