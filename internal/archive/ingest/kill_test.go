package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"gantry/dicom/uid"
	"gantry/internal/archive/blob/blobtest"
	"gantry/internal/archive/index/indextest"
	"gantry/internal/archive/ingest"
	"gantry/internal/vfs"
)

const (
	killDir   = "GANTRY_KILL_DIR"
	killFirst = "GANTRY_KILL_FIRST"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		killChild(dir)
		return
	}
	if dir := os.Getenv(traceDir); dir != "" {
		traceChild(dir)
		return
	}
	os.Exit(m.Run())
}

// long returns quick, or what GANTRY_LONG asks for as a multiple of it.
func long(quick int) int {
	if n, err := strconv.Atoi(os.Getenv("GANTRY_LONG")); err == nil && n > 0 {
		return quick * n
	}
	return quick
}

// killObject is object n of the kill test; every fifth has the UID of the one before it
// with other bytes, every ninth lies beside the log.
func killObject(t testing.TB, n int) (indextest.Object, []byte) {
	o := sample(n)
	size := 2000 * (1 + n%40)
	if n%5 == 4 {
		o.SOP = sample(n - 1).SOP
	}
	if n%9 == 8 {
		size = 5 << 20
	}
	return o, object(t, o, blobtest.Bytes(uint64(n), size))
}

// childTB is the testing.TB of a process that is not a test.
type childTB struct{ testing.TB }

func (childTB) Helper()           {}
func (childTB) Cleanup(func())    {}
func (childTB) Fatal(args ...any) { fmt.Println("F", args); os.Exit(1) }
func (childTB) Fatalf(f string, args ...any) {
	fmt.Printf("F "+f+"\n", args...)
	os.Exit(1)
}

// killChild stores objects until it is killed and prints the number of each that was
// acknowledged.
func killChild(dir string) {
	first, err := strconv.Atoi(os.Getenv(killFirst))
	if err != nil {
		panic(err)
	}
	t := childTB{}
	w := build(t, vfs.OS{}, dir, nil, ingest.Options{})
	var mu sync.Mutex
	next := first
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				o, data := killObject(t, n)
				mustSend(t, w.in, o, data)
				mu.Lock()
				fmt.Println("A", n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// runAndKill runs a child until some time after its first acknowledgement and returns what
// it acknowledged.
func runAndKill(t *testing.T, dir string, first int, after time.Duration) []int {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprint(killFirst, "=", first))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []int
	var once sync.Once
	guard := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	for s := bufio.NewScanner(out); s.Scan(); {
		var n int
		if _, err := fmt.Sscanf(s.Text(), "A %d", &n); err != nil {
			t.Fatalf("child says %q", s.Text())
		}
		acked = append(acked, n)
		once.Do(func() { time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) })
	}
	_ = cmd.Wait() // it was killed
	return acked
}

// TestKill is R01: a process that stores objects is killed at random moments, again and
// again over the same archive. All it has acknowledged is there, bit for bit; nothing is
// there in part.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	acked := map[int]bool{}
	first := 0
	rounds := long(20)
	for round := range rounds {
		after := time.Duration(rng.IntN(60_000)) * time.Microsecond
		for _, n := range runAndKill(t, dir, first, after) {
			acked[n] = true
			first = max(first, n+1)
		}
		first += 10 // what may have been on its way
		if round%5 == 4 || round == rounds-1 {
			verifyKilled(t, dir, acked, first)
		}
	}
	if len(acked) < rounds {
		t.Errorf("only %d objects acknowledged", len(acked))
	}
	t.Logf("%d objects acknowledged in %d rounds", len(acked), rounds)
}

// verifyKilled opens the archive, which recovers it, and reads all of it.
func verifyKilled(t *testing.T, dir string, acked map[int]bool, first int) {
	t.Helper()
	w := build(t, vfs.OS{}, dir, nil, ingest.Options{})
	defer w.close()
	defer w.idx.Close()
	for n := range first {
		o, data := killObject(t, n)
		found := false
		locs, err := w.idx.Versions(context.Background(), o.SOP)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range locs {
			got := readAll(t, w, string(l.Ref), l.Instance)
			found = found || bytes.Equal(got, data)
			if !found && !ofPair(t, n, got) {
				t.Fatalf("object %d: a version of %d bytes that was never sent", n, len(got))
			}
		}
		if acked[n] && !found {
			t.Fatalf("object %d was acknowledged and is lost (%d versions)", n, len(locs))
		}
	}
}

// ofPair reports whether got is the object that shares its UID with object n.
func ofPair(t *testing.T, n int, got []byte) bool {
	for _, m := range []int{n - 1, n + 1} {
		if m < 0 {
			continue
		}
		if _, data := killObject(t, m); bytes.Equal(got, data) {
			return true
		}
	}
	return false
}

func readAll(t *testing.T, w *world, ref string, u uid.UID) []byte {
	t.Helper()
	data, locs := stored(t, w.store, w.idx, u)
	for i := range locs {
		if string(locs[i].Ref) == ref {
			return data[i]
		}
	}
	t.Fatalf("%s vanished", ref)
	return nil
}
