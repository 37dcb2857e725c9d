//go:build unix

package interop

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/archive/synth"
	"gantry/service/query"
	"gantry/ul"
)

// The tests here look at a large synthetic archive, of GANTRY_SCALE instances where that is
// set and of 200,000 elsewhere.

func scale(t testing.TB) int {
	n, err := strconv.Atoi(os.Getenv("GANTRY_SCALE"))
	if err != nil || n <= 0 {
		return 200_000
	}
	return n
}

// synthetic makes an archive and returns the folder to serve it from.
func synthetic(t testing.TB, n int, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"synth", "--storage-dir", filepath.Join(dir, "data"), "--instances", strconv.Itoa(n)}, args...)
	must(t, gantry, args...)
	return dir
}

// TestStartReadsNoArchive: the start of a server reads as much of a large archive as of a
// small one.
func TestStartReadsNoArchive(t *testing.T) {
	if bytesRead(os.Getpid()) == 0 {
		if runtime.GOOS == "linux" {
			t.Fatal("/proc does not say what a process reads")
		}
		t.Skip("no system that counts what a process reads")
	}
	t.Setenv("GANTRY_STORAGE_SCRUB_RATE", "0") // which reads objects, in its own time
	var read [2]int64
	for i, n := range []int{2_000, 40_000} {
		dir := synthetic(t, n)
		serveIn(t, dir, "--log-level", "error").stop() // the next start has no log to look at
		s := serveIn(t, dir, "--log-level", "error")
		for last := int64(-1); read[i] != last; time.Sleep(500 * time.Millisecond) { // what begins with it
			last, read[i] = read[i], bytesRead(s.cmd.Process.Pid)
		}
		s.stop()
	}
	t.Logf("bytes read: %d of few instances, %d of many", read[0], read[1])
	if read[1] > read[0]+256<<10 {
		t.Errorf("the start reads %d bytes of a small archive and %d of a large one", read[0], read[1])
	}
}

// bytesRead is what a process has read by system calls; 0 where the system does not tell.
func bytesRead(pid int) (n int64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0
	}
	fmt.Sscanf(string(b), "rchar: %d", &n)
	return n
}

// TestLargeArchive kills a server of a large archive while it stores: it is ready again at
// once, and finds everybody.
func TestLargeArchive(t *testing.T) {
	n := scale(t)
	dir := synthetic(t, n)
	s := serveIn(t, dir, "--log-level", "error")
	part := smallObject(t, 0)
	stored := storeUntilKilled(t, s, []ctBytes{part, part})
	s.cmd.Wait()
	begun := time.Now()
	s = serveIn(t, dir, "--log-level", "error")
	t.Logf("%d instances, %d stored before the kill, ready after %s", n, len(stored), time.Since(begun))
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("ready only after %s: the start reads the archive and not the end of its log", took)
	}
	a := contender{name: "gantry", aet: "GANTRY", port: s.port}.dial(t, studyContext)
	defer a.Abort()
	for i := range 50 {
		study := i * (n / 10) / 50
		for _, q := range []map[tag.Tag]string{
			{tag.PatientID: fmt.Sprintf("P%08d", study/2), tag.AccessionNumber: ""},
			{tag.AccessionNumber: fmt.Sprintf("A%09d", study)},
		} {
			found := answers(t, a, q)
			if !slices.Contains(found, fmt.Sprintf("A%09d", study)) || len(found) > 2 {
				t.Errorf("study %d: found %q", study, found)
			}
		}
	}
	counted := must(t, gantry, "db", "stats", "--database", filepath.Join(dir, "data"))
	for _, want := range []string{"Patients:           " + strconv.Itoa(n/20+1), "Studies:            " + strconv.Itoa(n/10+1)} {
		if !strings.Contains(counted, want) {
			t.Errorf("no %q in\n%s", want, counted)
		}
	}
}

var studyContext = dimse.Context{Class: uid.StudyRootQueryRetrieveInformationModelFind, Syntaxes: []uid.UID{uid.ImplicitVRLittleEndian}}

func studyQuery(t testing.TB, keys map[tag.Tag]string) *dicom.DataSet {
	e := new(dicom.DataSet).Edit().SetText(tag.SpecificCharacterSet, "ISO_IR 192").SetText(tag.QueryRetrieveLevel, "STUDY").
		SetText(tag.StudyInstanceUID).SetText(tag.AccessionNumber).SetText(tag.PatientName).SetText(tag.StudyDate)
	for k, v := range keys {
		e.SetText(k, v)
	}
	ds, err := e.Build()
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// answers are the accession numbers of the studies that match.
func answers(t testing.TB, a *dimse.Assoc, keys map[tag.Tag]string) (out []string) {
	t.Helper()
	for ds, err := range a.Find(context.Background(), studyContext.Class, studyQuery(t, keys)) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ds.Text(tag.AccessionNumber))
	}
	return out
}

// searches are what S3 asks for: each makes the keys of the i-th query.
var searches = []struct {
	name string
	keys func(i, studies int) map[tag.Tag]string
}{
	{"id", func(i, n int) map[tag.Tag]string {
		return map[tag.Tag]string{tag.PatientID: fmt.Sprintf("P%08d", i*7919%(n/2))}
	}},
	{"accession", func(i, n int) map[tag.Tag]string {
		return map[tag.Tag]string{tag.AccessionNumber: fmt.Sprintf("A%09d", i*7919%n)}
	}},
	{"prefix", func(i, n int) map[tag.Tag]string {
		family, given := nameOf(i, n)
		return map[tag.Tag]string{tag.PatientName: family + "^" + given[:2] + "*"}
	}},
	{"infix", func(i, n int) map[tag.Tag]string {
		family, given := nameOf(i, n)
		return map[tag.Tag]string{tag.PatientName: "*" + strings.ToLower(family[2:]+"^"+given[:2]) + "*"}
	}},
	{"fuzzy", func(i, n int) map[tag.Tag]string {
		family, given := nameOf(i, n)
		return map[tag.Tag]string{tag.PatientName: family[:2] + "h" + family[2:] + "^" + given}
	}},
	{"ideographic", func(i, n int) map[tag.Tag]string {
		_, ideographic, _ := strings.Cut(synth.Person(1, int64(i*7919%(n/60)*30+7)), "=")
		ideographic, _, _ = strings.Cut(ideographic, "=")
		return map[tag.Tag]string{tag.PatientName: ideographic, tag.StudyDate: fmt.Sprintf("2019%02d", i%12+1) + "01-2019" + fmt.Sprintf("%02d", i%12+1) + "07"}
	}},
	{"day", func(i, n int) map[tag.Tag]string {
		return map[tag.Tag]string{tag.StudyDate: fmt.Sprintf("2019%02d%02d", i%12+1, i%28+1), tag.ModalitiesInStudy: "PT"}
	}},
}

// nameOf is that of a patient with one group of components.
func nameOf(i, studies int) (family, given string) {
	parts := strings.Split(synth.Person(1, int64(i*7919%(studies/60)*30)), "^")
	return parts[0], parts[1]
}

// BenchmarkScale is S1 to S4 on a large index: the rate of ingest beside a small archive,
// the start after a kill, and searches as ratios to one by patient ID.
func BenchmarkScale(b *testing.B) {
	n := scale(b)
	b.Setenv("GANTRY_STORAGE_SCRUB_RATE", "0") // there are no objects to be read again
	dir := os.Getenv("GANTRY_SCALE_DIR")       // data/ in it was made by gantry synth --index-only before
	if dir == "" {
		dir = synthetic(b, n, "--index-only")
	}
	if st, err := os.Stat(filepath.Join(dir, "data", "index.db")); err == nil {
		b.ReportMetric(float64(st.Size())/float64(n), "index-bytes/instance")
	}
	large := serveIn(b, dir, "--log-level", "error")
	small := serveIn(b, synthetic(b, 10_000, "--index-only"), "--log-level", "error")
	both := []contender{{name: "large", aet: "GANTRY", port: large.port}, {name: "small", aet: "GANTRY", port: small.port}}
	race(b, "objects/s", both, func(c contender, _ int) float64 {
		return c.bench(b, "store", "-j", "4", "--size", "8192").PerSecond
	})
	point := 0.0
	for _, s := range searches {
		first, half, most, mean := latencies(b, large, s.keys, n/10, s.name == "fuzzy")
		if point == 0 {
			point = half
			b.Logf("one by patient ID takes %.2f ms", 1000*point)
		}
		b.Logf("%-12s first %.2f, p50 %.2f, p99 %.2f of one by patient ID; %.1f answers", s.name, first/point, half/point, most/point, mean)
		b.ReportMetric(half/point, "p50-"+s.name)
		b.ReportMetric(most/point, "p99-"+s.name)
	}
	b.ReportMetric(firstOfAll(b, large)/point, "first-of-all")
	syscall.Kill(large.cmd.Process.Pid, syscall.SIGKILL)
	large.cmd.Wait()
	begun := time.Now()
	serveIn(b, dir, "--log-level", "error")
	b.ReportMetric(time.Since(begun).Seconds(), "s-to-ready")
}

// latencies are the time to the first answer and to the last one, in the middle and in the
// worst hundredth, and how many answers there were on average.
func latencies(b *testing.B, s *server, keys func(i, n int) map[tag.Tag]string, studies int, fuzzy bool) (first, half, most, mean float64) {
	d := dimse.Dialer{Calling: "BENCH", Contexts: []dimse.Context{studyContext},
		Extended: []ul.ExtendedNegotiation{{Class: studyContext.Class, Info: query.Extended{Fuzzy: fuzzy}.Bytes()}}}
	a, err := d.Dial(b.Context(), "GANTRY", addr(s.port))
	if err != nil {
		b.Fatal(err)
	}
	defer a.Abort()
	const queries = 300
	var firsts, alls []float64
	total := 0
	for i := range queries {
		q := studyQuery(b, keys(i, studies))
		begun := time.Now()
		for _, err := range a.Find(context.Background(), studyContext.Class, q) {
			if err != nil {
				b.Fatal(err)
			}
			if total++; len(firsts) == i {
				firsts = append(firsts, time.Since(begun).Seconds())
			}
		}
		if len(firsts) == i {
			firsts = append(firsts, time.Since(begun).Seconds())
		}
		alls = append(alls, time.Since(begun).Seconds())
	}
	slices.Sort(firsts)
	slices.Sort(alls)
	return firsts[queries/2], alls[queries/2], alls[queries*99/100], float64(total) / queries
}

// firstOfAll is the time to the first answer of a query that all studies match.
func firstOfAll(b *testing.B, s *server) float64 {
	var times []float64
	for range 9 {
		a := contender{name: "gantry", aet: "GANTRY", port: s.port}.dial(b, studyContext)
		begun := time.Now()
		for _, err := range a.Find(context.Background(), studyContext.Class, studyQuery(b, nil)) {
			if err != nil {
				b.Fatal(err)
			}
			break
		}
		times = append(times, time.Since(begun).Seconds())
		a.Abort()
	}
	slices.Sort(times)
	return times[len(times)/2]
}
