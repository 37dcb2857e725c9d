//go:build unix

package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gantry/dicom"
	"gantry/dicom/uid"
)

func TestEcho(t *testing.T) {
	s := serve(t)
	port := strconv.Itoa(s.port)
	must(t, dcmtk(t, "echoscu"), "-aec", "GANTRY", "localhost", port)
	must(t, dcmtk(t, "echoscu"), "-aec", "GANTRY", "--repeat", "20", "localhost", port)
	for _, pdu := range []string{"4096", "16384", "131072"} {
		must(t, dcmtk(t, "echoscu"), "-aec", "GANTRY", "-pdu", pdu, "localhost", port)
	}
	if out, code := run(t, dcmtk(t, "echoscu"), "-aec", "ELSEWHERE", "localhost", port); code == 0 || !strings.Contains(out, "Called AE Title Not Recognized") {
		t.Errorf("wrong called AE title: %d\n%s", code, out)
	}
	must(t, gantry, "echo", "GANTRY@"+addr(s.port), "--repeat", "3")
}

func TestStoreFindGet(t *testing.T) {
	s := serve(t)
	port := strconv.Itoa(s.port)
	var want []object
	for k := range 5 {
		want = append(want, study(k, 3)...)
	}
	dir := files(t, want)
	must(t, dcmtk(t, "storescu"), "-aec", "GANTRY", "+sd", "localhost", port, dir)

	find := func(args ...string) string {
		return must(t, dcmtk(t, "findscu"), append([]string{"-aec", "GANTRY", "localhost", port}, args...)...)
	}
	for _, c := range []struct {
		answers int
		keys    string
	}{
		{5, "-S -k 0008,0052=STUDY -k 0020,000d"},
		{1, "-S -k 0008,0052=STUDY -k 0010,0020=P0003 -k 0020,000d"},
		{5, "-S -k 0008,0052=STUDY -k 0010,0010=doe* -k 0020,000d"},
		{1, "-S -k 0008,0052=STUDY -k 0010,0010=DOE0002^JANE -k 0020,000d"},
		{2, "-S -k 0008,0052=STUDY -k 0008,0020=20260201-20260331 -k 0020,000d"},
		{0, "-S -k 0008,0052=STUDY -k 0010,0020=NOBODY -k 0020,000d"},
		{3, "-S -k 0008,0052=STUDY -k 0010,0020=P000? -k 0008,0020=-20260315 -k 0020,000d"},
		{2, `-S -k 0008,0052=STUDY -k 0020,000d=1.2.826.0.1.3680043.10.99.1\1.2.826.0.1.3680043.10.99.4`},
		{5, "-P -k 0008,0052=PATIENT -k 0010,0020"},
		{1, "-P -k 0008,0052=SERIES -k 0010,0020=P0001 -k 0020,000d=1.2.826.0.1.3680043.10.99.1 -k 0020,000e"},
		{3, "-S -k 0008,0052=IMAGE -k 0020,000d=1.2.826.0.1.3680043.10.99.1 -k 0020,000e=1.2.826.0.1.3680043.10.99.1.1 -k 0008,0018"},
		{5, "-O -k 0008,0052=STUDY -k 0020,000d"},
	} {
		out := find(append([]string{"-v"}, strings.Fields(c.keys)...)...)
		if n := lines(out, "Find Response: "); n != c.answers {
			t.Errorf("%s: %d answers, want %d\n%s", c.keys, n, c.answers, tail(out, 2000))
		}
	}
	out := find(strings.Fields("-S -k 0008,0052=STUDY -k 0010,0020=P0002 -k 0020,1208 -k 0020,1206 -k 0008,0061 -k 0008,0056 -k 0008,0054 -k 0010,0010")...)
	for _, part := range []string{"(0020,1208) IS [3", "(0020,1206) IS [1", "(0008,0061) CS [CT", "(0008,0056) CS [ONLINE", "(0008,0054) AE [GANTRY", "(0010,0010) PN [Doe0002^Jane", "(0008,0052) CS [STUDY"} {
		if !strings.Contains(out, part) {
			t.Errorf("answer has no %s:\n%s", part, out)
		}
	}
	if strings.Contains(out, "(0008,1030)") {
		t.Error("an attribute is returned that was not asked for")
	}

	checkGet(t, port, want, dir)
	checkOwnGet(t, s, dir)
}

// checkGet fetches everything by C-GET and compares it with what was sent.
func checkGet(t *testing.T, port string, want []object, sent string) {
	t.Helper()
	out := t.TempDir()
	for _, u := range studies(want) {
		must(t, dcmtk(t, "getscu"), "-aec", "GANTRY", "+B", "-S", "-od", out, "-k", "0008,0052=STUDY", "-k", "0020,000d="+string(u), "localhost", port)
	}
	same(t, dataSets(t, sent), dataSets(t, out))
}

// checkOwnGet does so with Gantry's own tools, by patient.
func checkOwnGet(t *testing.T, s *server, sent string) {
	t.Helper()
	out := t.TempDir()
	for k := range 5 {
		must(t, gantry, "get", "GANTRY@"+addr(s.port), "--model", "patient", "-L", "PATIENT", "-k", fmt.Sprintf("PatientID=P%04d", k), "--dir", out)
	}
	same(t, dataSets(t, sent), dataSets(t, out))
}

func studies(objects []object) []uid.UID {
	var out []uid.UID
	seen := map[uid.UID]bool{}
	for _, o := range objects {
		if !seen[o.study] {
			seen[o.study] = true
			out = append(out, o.study)
		}
	}
	return out
}

func TestEachProposal(t *testing.T) {
	s := serve(t)
	port := strconv.Itoa(s.port)
	// Of the video options DCMTK proposes nothing else, so that an image has no way: see the samples.
	options := []string{"-x=", "-xe", "-xb", "-xi", "-xs", "-xy", "-xx", "-xv", "-xw", "-xt", "-xu", "-xr", "-xd"}
	for i, option := range options {
		objects := study(100+i, 1)
		dir := files(t, objects)
		if out, code := run(t, dcmtk(t, "storescu"), "-aec", "GANTRY", option, "localhost", port, filepath.Join(dir, string(objects[0].instance)+".dcm")); code != 0 {
			t.Errorf("storescu %s: %d\n%s", option, code, out)
		}
	}
	for _, pdu := range []int{4096, 8192, 16384, 65536, 131072} {
		objects := study(200+pdu, 2)
		must(t, dcmtk(t, "storescu"), "-aec", "GANTRY", "-pdu", strconv.Itoa(pdu), "--max-send-pdu", strconv.Itoa(pdu), "+sd", "localhost", port, files(t, objects))
		out := t.TempDir()
		must(t, dcmtk(t, "getscu"), "-aec", "GANTRY", "-pdu", strconv.Itoa(pdu), "+B", "-S", "-od", out, "-k", "0008,0052=STUDY", "-k", "0020,000d="+string(objects[0].study), "localhost", port)
		if got := len(dataSets(t, out)); got != 2 {
			t.Errorf("PDU size %d: %d objects came back", pdu, got)
		}
	}
}

func TestMove(t *testing.T) {
	sink := t.TempDir()
	sinkPort := freePort(t)
	start(t, sinkPort, dcmtk(t, "storescp"), "+B", "--fork", "-aet", "SINK", "-od", sink, strconv.Itoa(sinkPort))
	s := serve(t, "--peer", "SINK:127.0.0.1:"+strconv.Itoa(sinkPort), "--peer", "GONE:127.0.0.1:"+strconv.Itoa(freePort(t)))
	port := strconv.Itoa(s.port)
	objects := study(7, 12)
	dir := files(t, objects)
	must(t, dcmtk(t, "storescu"), "-aec", "GANTRY", "+sd", "localhost", port, dir)

	move := func(dest string) (string, int) {
		return run(t, dcmtk(t, "movescu"), "-v", "-aec", "GANTRY", "-aem", dest, "-S", "-k", "0008,0052=STUDY", "-k", "0020,000d="+string(objects[0].study), "localhost", port)
	}
	if out, code := move("SINK"); code != 0 {
		t.Fatalf("C-MOVE: %d\n%s", code, out)
	}
	same(t, dataSets(t, dir), dataSets(t, sink))
	if out, _ := move("NOBODY"); !strings.Contains(out, "MoveDestinationUnknown") {
		t.Errorf("unknown destination:\n%s", out)
	}
	if out, _ := move("GONE"); !strings.Contains(out, "Refused: OutOfResourcesSubOperations") {
		t.Errorf("destination that is not there:\n%s", out)
	}
	out := must(t, gantry, "move", "GANTRY@"+addr(s.port), "--dest", "SINK", "-k", "StudyInstanceUID="+string(objects[0].study))
	if !strings.Contains(out, "12 completed, 0 with a warning, 0 failed") {
		t.Errorf("gantry move: %s", out)
	}
}

func TestSixteenSendersAtOnce(t *testing.T) {
	s := serve(t)
	var wg sync.WaitGroup
	for k := range 16 {
		dir := files(t, study(k, 8))
		wg.Go(func() {
			if out, code := run(t, dcmtk(t, "storescu"), "-aec", "GANTRY", "+sd", "localhost", strconv.Itoa(s.port), dir); code != 0 {
				t.Errorf("sender %d: %d\n%s", k, code, out)
			}
		})
	}
	wg.Wait()
	out := must(t, gantry, "find", "GANTRY@"+addr(s.port), "--format", "csv", "-k", "NumberOfStudyRelatedInstances")
	if n := lines(out, ",8"); n != 16 {
		t.Errorf("%d studies of 8 instances, want 16\n%s", n, out)
	}
}

func TestCancel(t *testing.T) {
	s := serve(t)
	port := strconv.Itoa(s.port)
	var all []object
	for k := range 60 {
		all = append(all, study(k, 1)...)
	}
	must(t, dcmtk(t, "storescu"), "-aec", "GANTRY", "+sd", "localhost", port, files(t, all))
	out, _ := run(t, dcmtk(t, "findscu"), "-v", "--cancel", "3", "-aec", "GANTRY", "-S", "-k", "0008,0052=STUDY", "-k", "0020,000d", "localhost", port)
	if !strings.Contains(out, "Cancel") {
		t.Errorf("findscu did not cancel:\n%s", out)
	}
	must(t, dcmtk(t, "echoscu"), "-aec", "GANTRY", "localhost", port)
}

// TestAsStorageUser has Gantry send to DCMTK's provider.
func TestAsUserOfDCMTK(t *testing.T) {
	dir, index := t.TempDir(), t.TempDir()
	port := freePort(t)
	cfg := filepath.Join(index, "dcmqrscp.cfg")
	text := fmt.Sprintf("NetworkTCPPort = %d\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\nQR %s RW (100, 1024mb) ANY\nAETable END\n", port, index)
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, port, dcmtk(t, "dcmqrscp"), "-c", cfg)
	objects := study(3, 6)
	sent := files(t, objects)
	must(t, gantry, "echo", "QR@"+addr(port))
	must(t, gantry, "store", "QR@"+addr(port), sent)
	out := must(t, gantry, "find", "QR@"+addr(port), "-k", "PatientName=Doe*", "--format", "csv")
	if !strings.Contains(out, string(objects[0].study)) {
		t.Errorf("find: %s", out)
	}
	must(t, gantry, "get", "QR@"+addr(port), "-k", "StudyInstanceUID="+string(objects[0].study), "--dir", dir)
	if got := dataSets(t, dir); len(got) != len(objects) {
		t.Errorf("%d objects came back, want %d", len(got), len(objects))
	}
}

// TestMoveTranscodes sends to a destination that takes Implicit VR Little Endian only: a
// native object arrives laid out anew, with the same pixels.
func TestMoveTranscodes(t *testing.T) {
	sink := t.TempDir()
	port := freePort(t)
	start(t, port, dcmtk(t, "storescp"), "+B", "+xi", "-aet", "SINK", "-od", sink, strconv.Itoa(port))
	s := serve(t, "--peer", "SINK:127.0.0.1:"+strconv.Itoa(port))
	objects := study(4, 2)
	dir := files(t, objects)
	must(t, gantry, "store", "GANTRY@"+addr(s.port), dir)
	must(t, gantry, "move", "GANTRY@"+addr(s.port), "--dest", "SINK", "-k", "StudyInstanceUID="+string(objects[0].study))
	sent, got := dataSets(t, dir), dataSets(t, sink)
	for u, b := range sent {
		implicit, err := dicom.DecodeBytes(got[u], dicom.DecodeOptions{Syntax: uid.ImplicitVRLittleEndian, OnFlaw: dicom.Strict})
		if err != nil {
			t.Fatalf("%s: %v", u, err)
		}
		again, err := dicom.AppendEncode(nil, implicit, uid.ExplicitVRLittleEndian)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: turned back into Explicit VR it is another object, %v", u, err)
		}
	}
}
