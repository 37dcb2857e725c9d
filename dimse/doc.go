// Package dimse is the DICOM message service (PS3.7) over associations of package ul:
// command sets, messages, a server with handlers, and a client.
//
// # Server
//
// A Server accepts associations and hands each request to its Handler, usually a ServeMux
// that dispatches on operation and SOP class. One goroutine, the owner, serves an
// association: it reads, and runs C-ECHO, C-STORE and the N-services itself, so that a
// Request's data set comes straight from the socket and back-pressure is TCP's own. C-FIND,
// C-GET and C-MOVE run on a goroutine of their own while the owner goes on reading, so that
// a C-CANCEL reaches them. DESIGN.md has the rules.
//
// # Client
//
// A Dialer opens an association, an Assoc performs operations on it, one at a time. Answers
// come as iterators; leaving a loop early cancels the operation and keeps the association.
package dimse
