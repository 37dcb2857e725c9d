// Package ul is the DICOM upper layer protocol for TCP/IP (PS3.8): the seven PDUs with
// every user-information sub-item, the association state machine as a table, and Conn,
// one association over one transport connection.
//
// The package never looks into a message: a presentation data value is bytes with a
// context ID, a command flag and a last flag. Messages are package dimse.
//
// Everything read from a peer is capped before memory is taken for it: a PDU header is
// vetted (type known, length under its cap) before its body is read, a body buffer grows
// only as bytes arrive, and P-DATA is never buffered at all; it is read straight into the
// caller's memory. Every wait has a deadline. DESIGN.md tells why.
package ul
