// Package interop holds tests alone: the program as a process against DCMTK and Orthanc,
// over TCP. Nothing of it is compiled into the product.
package interop
