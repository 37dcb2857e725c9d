//go:build unix

package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
	"gantry/ul"
)

// The benchmarks here measure servers side by side in one run, by the same client over
// loopback: Gantry, DCMTK and Orthanc. What counts are the ratios, reported as
// "x-storescp" and the like.

// contender is a server to be measured.
type contender struct {
	name string
	aet  string
	port int // 0 is no server, but a limit of the machine
	pid  int
}

const benchTime = 1500 * time.Millisecond

// benchSink is who C-MOVE sends to: gantry bench, which throws away what comes. All
// contenders know it at one port.
const benchSink = "SINK"

var sinkPort int

func benchSinkPort(b testing.TB) int {
	if sinkPort == 0 {
		sinkPort = freePort(b)
	}
	return sinkPort
}

func startContenders(b *testing.B, names ...string) []contender {
	b.Helper()
	var out []contender
	for _, name := range names {
		port := freePort(b)
		switch name {
		case "gantry", "gantry-log":
			args := []string{"--log-level", "warning", "--peer", benchSink + ":localhost:" + strconv.Itoa(benchSinkPort(b))}
			if name == "gantry-log" { // which syncs the index's log now and then
				args = append(args, "--config", configFile(b, "index:\n  sync: log\n"))
			}
			s := serve(b, args...)
			out = append(out, contender{name, "GANTRY", s.port, s.cmd.Process.Pid})
		case "storescp":
			s := start(b, port, dcmtk(b, "storescp"), "--fork", "-aet", "STORESCP", "-od", b.TempDir(), strconv.Itoa(port))
			out = append(out, contender{name, "STORESCP", port, s.cmd.Process.Pid})
		case "dcmqrscp":
			dir := b.TempDir()
			cfg := filepath.Join(dir, "q.cfg")
			text := fmt.Sprintf("NetworkTCPPort = %d\nMaxPDUSize = 16384\nMaxAssociations = 32\nHostTable BEGIN\nsink = (%s, localhost, %d)\nHostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\nQR %s RW (500, 1024mb) ANY\nAETable END\n", port, benchSink, benchSinkPort(b), dir)
			if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
			s := start(b, port, dcmtk(b, "dcmqrscp"), "-c", cfg)
			out = append(out, contender{name, "QR", port, s.cmd.Process.Pid})
		case "orthanc":
			dir := b.TempDir()
			cfg := filepath.Join(dir, "o.json")
			text := fmt.Sprintf(`{"StorageDirectory":%q,"IndexDirectory":%q,"DicomAet":"ORTHANC","DicomPort":%d,"HttpPort":%d,"DicomCheckCalledAet":false,"DicomModalities":{"sink":[%q,"localhost",%d]},"DicomAlwaysAllowGet":true,"DicomAlwaysAllowMove":true,"DicomAlwaysAllowFind":true,"Plugins":[]}`, dir, dir, port, freePort(b), benchSink, benchSinkPort(b))
			if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
			s := start(b, port, peer(b, "/usr/sbin/Orthanc"), cfg)
			out = append(out, contender{name, "ORTHANC", port, s.cmd.Process.Pid})
		}
	}
	return out
}

func (c contender) dial(b testing.TB, contexts ...dimse.Context) *dimse.Assoc {
	b.Helper()
	d := dimse.Dialer{Calling: "BENCH", Contexts: contexts}
	a, err := d.Dial(context.Background(), dimse.AETitle(c.aet), addr(c.port))
	if err != nil {
		b.Fatalf("%s: %v", c.name, err)
	}
	return a
}

func configFile(b testing.TB, text string) string {
	name := filepath.Join(b.TempDir(), "gantry.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

// race measures each contender three times in turn and reports the ratio of the first one
// to each other. It returns the medians.
func race(b *testing.B, unit string, all []contender, rate func(contender, int) float64) map[string]float64 {
	b.Helper()
	results := map[string][]float64{}
	for rep := range 3 {
		for _, c := range all {
			results[c.name] = append(results[c.name], rate(c, rep))
		}
	}
	medians := map[string]float64{}
	for _, c := range all {
		m := median(results[c.name])
		medians[c.name] = m
		b.Logf("%-10s %10.1f %s", c.name, m, unit)
		if c.name != all[0].name {
			b.ReportMetric(medians[all[0].name]/m, "x-"+c.name)
		}
	}
	b.ReportMetric(0, "ns/op")
	return medians
}

func median(v []float64) float64 {
	a, b, c := v[0], v[1], v[2]
	return max(min(a, b), min(max(a, b), c))
}

// load is a row of gantry bench's report.
type load struct {
	Done, Failed int
	PerSecond    float64 `json:"per_second"`
	MB           float64 `json:"mb_per_second"`
}

// bench puts a load on the contender with gantry bench; nothing of it may fail.
func (c contender) bench(b *testing.B, args ...string) load {
	b.Helper()
	args = append([]string{"bench", c.aet + "@" + addr(c.port), "--calling", "BENCH", "--duration", benchTime.String(), "--format", "json", "--kind"}, args...)
	out, code := run(b, gantry, args...)
	var r struct{ Kinds []load }
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || r.Kinds[0].Failed > 0 {
		b.Fatalf("%s: %v, exit %d\n%s", c.name, err, code, out)
	}
	return r.Kinds[0]
}

// BenchmarkPeersEcho is P4: C-ECHO on a held association; beside the peers the limit is what
// messages of the same length do over loopback.
func BenchmarkPeersEcho(b *testing.B) {
	all := append(startContenders(b, "gantry", "storescp", "orthanc"), contender{name: "loopback"})
	race(b, "echoes/s", all, func(c contender, _ int) float64 {
		if c.port == 0 {
			return pingPong(b)
		}
		return c.bench(b, "echo").PerSecond
	})
}

// pingPong is how often in a second a message of the length of a C-ECHO-RQ goes over loopback
// and one of that of the response comes back.
func pingPong(b *testing.B) float64 {
	rq := dimse.Command{Op: dimse.CEcho, MessageID: 1, AffectedClass: uid.Verification}
	rsp := dimse.Command{Op: dimse.CEcho, Response: true, RespondedTo: 1, AffectedClass: uid.Verification}
	ask, answer := ul.AppendPData(nil, 1, true, true, rq.Append(nil)), ul.AppendPData(nil, 1, true, true, rsp.Append(nil))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		for buf := make([]byte, len(ask)); err == nil; {
			if _, err = io.ReadFull(nc, buf); err == nil {
				_, err = nc.Write(answer)
			}
		}
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	n, buf, start := 0, make([]byte, len(answer)), time.Now()
	for ; time.Since(start) < benchTime; n++ {
		if _, err := nc.Write(ask); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(nc, buf); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

// BenchmarkPeersAssociate is P5: associate, echo, release.
func BenchmarkPeersAssociate(b *testing.B) {
	all := startContenders(b, "gantry", "storescp", "orthanc")
	race(b, "associations/s", all, func(c contender, _ int) float64 { return c.bench(b, "associate").PerSecond })
}

// ctBytes is a CT object of about 528 KB, split where its SOP Instance UID is.
type ctBytes struct{ head, tail []byte }

func newCT(b testing.TB, study int) ctBytes {
	o := study1(study)
	e := o.dataSet(b).Edit().SetInt(tag.Rows, 512).SetInt(tag.Columns, 512).SetBytes(tag.PixelData, vr.OW, make([]byte, 512*512*2))
	for i := range 60 {
		e.SetTextAs(tag.New(0x0018, uint16(0x9300+i)), vr.LO, fmt.Sprintf("value %d", i))
	}
	e.SetUID(tag.SOPInstanceUID, "1.2.826.0.1.3680043.10.98.0000000000")
	ds, err := e.Build()
	if err != nil {
		b.Fatal(err)
	}
	raw, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		b.Fatal(err)
	}
	head, rest, ok := bytes.Cut(raw, []byte("0000000000"))
	if !ok {
		b.Fatal("no place for the UID")
	}
	return ctBytes{head, rest}
}

func study1(k int) object { return study(k, 1)[0] }

var serial atomic.Int64

func (c ctBytes) outgoing() *dimse.Outgoing {
	n := fmt.Sprintf("%d%09d", 1, serial.Add(1))
	return &dimse.Outgoing{Class: uid.CTImageStorage, Instance: uid.UID("1.2.826.0.1.3680043.10.98." + n), Syntax: uid.ExplicitVRLittleEndian,
		Open: func(context.Context, uid.UID) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(c.head), bytes.NewReader([]byte(n)), bytes.NewReader(c.tail))), nil
		}}
}

func (c contender) store(a *dimse.Assoc, ct ctBytes) error {
	status, err := a.Store(context.Background(), ct.outgoing())
	if err == nil && status != dimse.Success {
		err = fmt.Errorf("%s: %v", c.name, status)
	}
	return err
}

var ctContext = dimse.Context{Class: uid.CTImageStorage, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian}}

// BenchmarkPeersStore is P1 to P3: C-STORE of distinct CT objects of 512 KiB over 1, 4 and
// 8 associations. Gantry is durable before it answers; storescp syncs nothing. The limit is
// what as many writers append to one file and sync. cpu-of-storescp is the servers' processor
// time for an object.
func BenchmarkPeersStore(b *testing.B) {
	for _, n := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("associations=%d", n), func(b *testing.B) {
			all := append(startContenders(b, "gantry", "gantry-log", "storescp", "orthanc"), contender{name: "limit"})
			used, stored := map[string]float64{}, map[string]float64{}
			rates := race(b, "objects/s", all, func(c contender, _ int) float64 {
				if c.port == 0 {
					return appendAndSync(b, n, 512<<10)
				}
				before := processorTime(c.pid)
				done := c.bench(b, "store", "-j", strconv.Itoa(n))
				time.Sleep(50 * time.Millisecond) // forked servers end
				used[c.name] += processorTime(c.pid) - before
				stored[c.name] += float64(done.Done)
				return done.PerSecond
			})
			b.ReportMetric(rates["gantry-log"]/rates["storescp"], "log-x-storescp")
			b.ReportMetric(used["gantry"]/stored["gantry"]/(used["storescp"]/stored["storescp"]), "cpu-of-storescp")
		})
	}
}

// appendAndSync is how many objects a second some writers append to one file, synced one by
// one.
func appendAndSync(b *testing.B, writers int, size int64) float64 {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var end, done atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range writers {
		wg.Go(func() {
			data := make([]byte, size)
			for time.Since(begun) < benchTime {
				_, err := f.WriteAt(data, end.Add(size)-size)
				if err = errors.Join(err, f.Sync()); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds()
}

// processorTime is what a process and its children took, in ticks (proc(5), stat): those
// that have ended stand with it once it has waited for them, the others with themselves.
func processorTime(pid int) (ticks float64) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range all {
		line, err := os.ReadFile(name)
		if err != nil {
			continue // ended meanwhile
		}
		fields := strings.Fields(string(line[bytes.LastIndexByte(line, ')')+1:]))
		own := strings.HasPrefix(name, fmt.Sprintf("/proc/%d/", pid))
		if !own && fields[1] != strconv.Itoa(pid) {
			continue
		}
		for _, f := range fields[11:15] {
			n, _ := strconv.ParseFloat(f, 64) // the kernel's own figures
			ticks += n
		}
	}
	return ticks
}

// anonymous is the memory of a process that is not pages of files, in MB, and the most of it
// while work goes on.
func anonymous(b *testing.B, pid int, work func()) (most float64) {
	b.Helper()
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		for {
			most = max(most, anonymousNow(pid))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	work()
	close(stop)
	<-done
	return most
}

func anonymousNow(pid int) (mb float64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if name, rest, _ := strings.Cut(line, ":"); name == "RssAnon" || name == "RssShmem" {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			mb += kb / 1024
		}
	}
	return mb
}

// BenchmarkMemory is P9: what the server takes when it is idle, and the most of it while eight
// associations store.
func BenchmarkMemory(b *testing.B) {
	all := startContenders(b, "gantry", "orthanc")
	for _, c := range all {
		time.Sleep(300 * time.Millisecond)
		b.ReportMetric(anonymousNow(c.pid), "idle-MB-"+c.name)
		b.ReportMetric(anonymous(b, c.pid, func() { c.bench(b, "store", "-j", "8") }), "storing-MB-"+c.name)
	}
	b.ReportMetric(0, "ns/op")
}

// fill gives a server 48 studies of 2 objects.
func (c contender) fill(b *testing.B) {
	a := c.dial(b, ctContext)
	defer a.Abort()
	for k := range 48 {
		ct := newCT(b, k)
		for range 2 {
			if err := c.store(a, ct); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkPeersFind is P6: a study by patient ID and ten by a name prefix, held
// association, 48 studies.
func BenchmarkPeersFind(b *testing.B) {
	for name, key := range map[string]string{"PatientID": "PatientID=P0007", "NamePrefix": "PatientName=Doe000*"} {
		b.Run(name, func(b *testing.B) {
			all := startContenders(b, "gantry", "orthanc")
			for _, s := range all {
				s.fill(b)
			}
			race(b, "queries/s", all, func(c contender, _ int) float64 {
				found := c.bench(b, "find", "-k", key)
				if found.MB == 0 {
					b.Fatalf("%s: no answer", c.name)
				}
				return found.PerSecond
			})
		})
	}
}

// BenchmarkPeersGet is P7: C-GET of one study of 64 objects, thrown away by the client.
func BenchmarkPeersGet(b *testing.B) {
	all := startContenders(b, "gantry", "dcmqrscp", "orthanc")
	fillStudy(b, all)
	for _, window := range []string{"1", "8"} { // the peers negotiate none
		b.Run("window="+window, func(b *testing.B) {
			race(b, "MB/s", all, func(c contender, _ int) float64 {
				return c.bench(b, "get", "--window", window, "-k", "StudyInstanceUID="+string(study1(5).study)).MB
			})
		})
	}
}

// BenchmarkPeersMove is P8: C-MOVE of the same to a sink.
func BenchmarkPeersMove(b *testing.B) {
	all := startContenders(b, "gantry", "dcmqrscp", "orthanc")
	fillStudy(b, all)
	race(b, "MB/s", all, func(c contender, _ int) float64 {
		return c.bench(b, "move", "--dest", benchSink, "--receive", strconv.Itoa(benchSinkPort(b)), "-k", "StudyInstanceUID="+string(study1(5).study)).MB
	})
}

// BenchmarkFairness is how evenly associations that retrieve at the same time are served: the
// least of 8 over the most, and what all together have over one alone.
func BenchmarkFairness(b *testing.B) {
	all := startContenders(b, "gantry")
	fillStudy(b, all)
	get := func(c contender) float64 {
		return c.bench(b, "get", "-k", "StudyInstanceUID="+string(study1(5).study)).MB
	}
	var even, together []float64
	for range 3 {
		alone := get(all[0])
		rates := make([]float64, 8)
		var clients sync.WaitGroup
		for i := range rates {
			clients.Go(func() { rates[i] = get(all[0]) })
		}
		clients.Wait()
		sum := 0.0
		for _, r := range rates {
			sum += r
		}
		even = append(even, slices.Min(rates)/slices.Max(rates))
		together = append(together, sum/alone)
	}
	b.ReportMetric(median(even), "least/most")
	b.ReportMetric(median(together), "8-over-1")
	b.ReportMetric(0, "ns/op")
}

// fillStudy gives each contender the study to retrieve.
func fillStudy(b *testing.B, all []contender) {
	b.Helper()
	for _, c := range all {
		a := c.dial(b, ctContext)
		ct := newCT(b, 5)
		for range 64 {
			if err := c.store(a, ct); err != nil {
				b.Fatal(err)
			}
		}
		a.Abort()
	}
}
