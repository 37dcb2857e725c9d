//go:build unix

package interop

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
)

// killRounds is how often the server is killed: 50 times, or 50 times GANTRY_LONG.
func killRounds() int {
	if n, err := strconv.Atoi(os.Getenv("GANTRY_LONG")); err == nil && n > 0 {
		return 50 * n
	}
	return 50
}

const killSenders = 8

// TestKillAndRestart kills the server while eight senders store (R01): after it every
// acknowledged object is there bit for bit, whatever else is there is whole too, and the
// counts are right.
func TestKillAndRestart(t *testing.T) {
	all, objects := 0, 0
	for all < killRounds() {
		n := min(killRounds()-all, killsEach)
		objects += killAndRestart(t, n)
		all += n
		t.Logf("%d rounds, %d objects, none lost", all, objects)
	}
}

// killsEach is how often the server of one archive is killed before all is fetched.
const killsEach = 500

func killAndRestart(t *testing.T, rounds int) (found int) {
	dir := t.TempDir()
	defer os.RemoveAll(dir)
	acknowledged := map[uid.UID]bool{}
	parts := make([]ctBytes, killSenders)
	for i := range parts {
		parts[i] = smallObject(t, i)
	}
	for range rounds {
		s := serveIn(t, dir, "--log-level", "error")
		for _, u := range storeUntilKilled(t, s, parts) {
			acknowledged[u] = true
		}
		s.cmd.Wait()
		s.out = new(syncBuffer) // nothing of it is of interest
	}
	if len(acknowledged) < 10*rounds {
		t.Fatalf("only %d objects were acknowledged", len(acknowledged))
	}
	s := serveIn(t, dir)
	for i := range parts {
		found += s.fetch(t, i, parts[i], acknowledged)
	}
	for u := range acknowledged {
		t.Errorf("%s was acknowledged and is lost", u)
	}
	out := must(t, gantry, "db", "stats", "--database", dir+"/data")
	if lines(out, "Instances:          "+strconv.Itoa(found)) != 1 {
		t.Errorf("%d objects came back; counted: %s", found, out)
	}
	s.kill()
	if t.Failed() {
		t.FailNow()
	}
	return found
}

// fetch gets a study back, compares its objects with what was sent, and takes them off
// the list. It returns how many there are.
func (s *server) fetch(t *testing.T, k int, sent ctBytes, acknowledged map[uid.UID]bool) (found int) {
	t.Helper()
	const class = uid.StudyRootQueryRetrieveInformationModelGet
	storage := ctContext
	storage.SCP = true
	a := contender{name: "gantry", aet: "GANTRY", port: s.port}.dial(t, dimse.Context{Class: class, Syntaxes: ctContext.Syntaxes}, storage)
	defer a.Abort()
	query, err := new(dicom.DataSet).Edit().SetText(tag.QueryRetrieveLevel, "STUDY").SetUID(tag.StudyInstanceUID, study1(k).study).Build()
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	take := func(_ context.Context, in *dimse.Incoming) error {
		b := bytes.NewBuffer(got[:0])
		if _, err := b.ReadFrom(in.Body); err != nil {
			return err
		}
		if got = b.Bytes(); !bytes.Equal(got, sent.with(in.Instance)) {
			t.Errorf("%s is not what was sent", in.Instance)
		}
		delete(acknowledged, in.Instance)
		found++
		return nil
	}
	for _, err := range a.Get(context.Background(), class, query, dimse.StorerFunc(take)) {
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// storeUntilKilled has all senders store until the server is killed at a random moment, and
// returns what was acknowledged.
func storeUntilKilled(t *testing.T, s *server, parts []ctBytes) []uid.UID {
	c := contender{name: "gantry", aet: "GANTRY", port: s.port}
	var mu sync.Mutex
	var acknowledged []uid.UID
	var wg sync.WaitGroup
	for i := range parts {
		a := c.dial(t, ctContext)
		wg.Go(func() {
			defer a.Abort()
			for {
				o := parts[i].outgoing()
				status, err := a.Store(context.Background(), o)
				if err != nil || status != 0 {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, o.Instance)
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Duration(30+rand.IntN(200)) * time.Millisecond)
	syscall.Kill(s.cmd.Process.Pid, syscall.SIGKILL)
	wg.Wait()
	return acknowledged
}

// smallObject is an object of a study, split where its SOP Instance UID is.
func smallObject(t *testing.T, study int) ctBytes {
	t.Helper()
	ds, err := study1(study).dataSet(t).Edit().SetUID(tag.SOPInstanceUID, "1.2.826.0.1.3680043.10.98.0000000000").Build()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := dicom.AppendEncode(nil, ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := bytes.Cut(raw, []byte("0000000000"))
	return ctBytes{head, rest}
}

// with is the data set under a SOP Instance UID of outgoing.
func (c ctBytes) with(u uid.UID) []byte {
	return bytes.Join([][]byte{c.head, []byte(u[len(u)-10:]), c.tail}, nil)
}
