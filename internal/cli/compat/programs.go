package compat

import (
	"path/filepath"
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
		{"pacs_integration_e2e", false, pacsIntegration},
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
	}
}

// Lookup returns the program of a name, as argv[0] has it.
func Lookup(argv0 string) (*Program, bool) {
	name := strings.TrimSuffix(filepath.Base(argv0), ".exe")
	for _, e := range programs() {
		if e.name == name {
			return e.make(), true
		}
	}
	return nil, false
}

// Names lists the described names or DCMTK's.
func Names(dcmtk bool) []string {
	var out []string
	for _, e := range programs() {
		if e.dcmtk == dcmtk {
			out = append(out, e.name)
		}
	}
	return out
}
