package compat

import (
	"path/filepath"
	"slices"
	"strings"
)

// entry is a program and what makes it.
type entry struct {
	name  string
	dcmtk bool
	make  func() *Program
}

// programs are all of them.
func programs() []entry {
	return []entry{
		{"echo_scu", false, echoSCU},
		{"secure_echo_scu", false, secureEchoSCU},
		{"find_scu", false, findSCU},
		{"query_scu", false, querySCU},
		{"store_scu", false, storeSCU},
		{"move_scu", false, moveSCU},
		{"get_scu", false, getSCU},
		{"retrieve_scu", false, retrieveSCU},
		{"echo_scp", false, echoSCP},
		{"secure_echo_scp", false, secureEchoSCP},
		{"store_scp", false, storeSCP},
		{"qr_scp", false, qrSCP},
		{"pacs_server", false, pacsServer},
		{"db_browser", false, dbBrowser},
		{"dcm_info", false, dcmInfo},
		{"dcm_dump", false, dcmDump},
		{"dcm_conv", false, dcmConv},
		{"dcm_extract", false, dcmExtract},
		{"img_to_dcm", false, imgToDcm},
		{"pacs_integration_e2e", false, pacsIntegration},
		{"odil", false, odil},
		{"odil echo", false, odilEcho},
		{"odil find", false, odilFind},
		{"odil get", false, odilGet},
		{"odil store", false, odilStore},
		{"odil print", false, odilPrint},
		{"odil transcode", false, odilTranscode},
		{"odil dicomdir", false, odilDicomdir},
		{"echoscu", true, echoscu},
		{"storescu", true, storescu},
		{"dcmsend", true, dcmsend},
		{"movescu", true, movescu},
		{"getscu", true, getscu},
		{"storescp", true, storescp},
		{"dcmrecv", true, dcmrecv},
		{"dcmqrscp", true, dcmqrscp},
		{"termscu", true, termscu},
		{"findscu", true, findscu},
		{"dcmdump", true, dcmdump},
		{"dcmconv", true, dcmconv},
		{"img2dcm", true, img2dcm},
		{"dcm2pnm", true, dcm2pnm},
		{"dcmj2pnm", true, dcmj2pnm},
		{"dcml2pnm", true, dcml2pnm},
		{"dcmcjpeg", true, dcmcjpeg},
		{"dcmdjpeg", true, dcmdjpeg},
		{"dcmcjpls", true, dcmcjpls},
		{"dcmdjpls", true, dcmdjpls},
		{"dcmcrle", true, dcmcrle},
		{"dcmdrle", true, dcmdrle},
	}
}

// Lookup returns the program of a name, as argv[0] has it.
func Lookup(argv0 string) (*Program, bool) { return named(base(argv0)) }

func base(argv0 string) string { return strings.TrimSuffix(filepath.Base(argv0), ".exe") }

func named(name string) (*Program, bool) {
	for _, e := range programs() {
		if e.name == name {
			return e.make(), true
		}
	}
	return nil, false
}

// Resolve returns the program of a command line and its arguments: that of argv[0], or of
// argv[0] with the sub-command behind it.
func Resolve(argv []string) (p *Program, args []string, ok bool) {
	if len(argv) == 0 {
		return nil, nil, false
	}
	if len(argv) > 1 {
		if p, ok := named(base(argv[0]) + " " + argv[1]); ok {
			return p, argv[2:], true
		}
	}
	p, ok = Lookup(argv[0])
	return p, argv[1:], ok
}

// Names lists the described names or DCMTK's.
func Names(dcmtk bool) []string {
	return slices.DeleteFunc(Programs(dcmtk), func(name string) bool { return strings.Contains(name, " ") })
}

// Programs lists them with the sub-commands.
func Programs(dcmtk bool) []string {
	var out []string
	for _, e := range programs() {
		if e.dcmtk == dcmtk {
			out = append(out, e.name)
		}
	}
	return out
}
