// Package scripts runs testdata/scripts: command lines of every tool under every name, as a
// user types them, against real peers. It has tests only.
package scripts
