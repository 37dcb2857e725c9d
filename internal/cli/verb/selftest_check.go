package verb

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dimse"
)

// check is a scenario under way.
type check struct {
	ctx context.Context
	*world
	*result
	ends []func()
}

// stopped ends a scenario early.
type stopped struct{}

// run runs the scenario; whatever happens in it is a result.
func (c *check) run() {
	defer func() {
		switch p := recover(); p.(type) {
		case nil, stopped:
		default:
			c.checks = append(c.checks, checked{what: fmt.Sprintf("panic: %v", p)})
		}
		for i := len(c.ends) - 1; i >= 0; i-- {
			c.ends[i]()
		}
	}()
	c.scenario.run(c)
}

// that notes whether something is as it should be, and goes on.
func (c *check) that(ok bool, format string, args ...any) bool {
	c.checks = append(c.checks, checked{fmt.Sprintf(format, args...), ok})
	return ok
}

// must ends the scenario when something is not as it should be.
func (c *check) must(err error, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if err != nil {
		what += ": " + err.Error()
	}
	if !c.that(err == nil, "%s", what) {
		panic(stopped{})
	}
}

// skip ends the scenario without a verdict.
func (c *check) skip(format string, args ...any) {
	c.skipped = fmt.Sprintf(format, args...)
	panic(stopped{})
}

// dial opens an association that ends with the scenario.
func (c *check) dial(contexts ...dimse.Context) *dimse.Assoc {
	a, err := c.peer.dial(c.ctx, contexts)
	c.must(err, "associate")
	c.ends = append(c.ends, func() { a.Abort() })
	return a
}

// wants opens an association for a class, or skips: a service that the peer does not have
// is none that failed.
func (c *check) wants(contexts ...dimse.Context) *dimse.Assoc {
	a := c.dial(contexts...)
	for _, x := range contexts {
		if len(a.Accepted(x.Class)) == 0 {
			c.skip("the peer rejects the presentation context of %s", x.Class.Name())
		}
	}
	return a
}

func (c *check) release(a *dimse.Assoc) { c.must(a.Release(c.ctx), "release") }

// maker makes up objects of a modality.
func (c *check) maker(modality string, size int64) *maker {
	m, err := newMaker(modality, size, testPatient)
	c.must(err, "make up %s objects", modality)
	return m
}

// store sends objects first to last-1.
func (c *check) store(m *maker, first, last int64) {
	a := c.wants(m.contexts()...)
	for n := first; n < last; n++ {
		o, err := m.outgoing(n)
		if err == nil {
			err = stored(a.Store(c.ctx, o))
		}
		c.must(err, "store %s object %d", m.modality, n)
		c.sent.Add(1)
	}
	c.release(a)
}

// storeWhole sends one data set.
func (c *check) storeWhole(ds *dicom.DataSet) {
	class := ds.UID(tag.SOPClassUID)
	a := c.wants(dimse.Context{Class: class})
	err := stored(a.Store(c.ctx, &dimse.Outgoing{Class: class, Instance: ds.UID(tag.SOPInstanceUID), Syntax: uid.ExplicitVRLittleEndian,
		Open: func(_ context.Context, syntax uid.UID) (io.ReadCloser, error) {
			b, err := dicom.AppendEncode(nil, ds, syntax)
			return io.NopCloser(bytes.NewReader(b)), err
		}}))
	c.must(err, "store")
	c.sent.Add(1)
	c.release(a)
}

// identifier makes one of keys, Keyword=value.
func (c *check) identifier(keys ...string) *dicom.DataSet {
	ds, err := (&Query{Keys: keys}).identifiers()
	c.must(err, "identifier of %s", strings.Join(keys, " "))
	return ds[0]
}

// find asks in the Study Root model.
func (c *check) find(keys ...string) []*dicom.DataSet {
	return c.findIn(uid.StudyRootQueryRetrieveInformationModelFind, keys...)
}

func (c *check) findIn(class uid.UID, keys ...string) []*dicom.DataSet {
	a := c.wants(dimse.Context{Class: class})
	var out []*dicom.DataSet
	for ds, err := range a.Find(c.ctx, class, c.identifier(keys...)) {
		c.must(err, "C-FIND %s", strings.Join(keys, " "))
		out = append(out, ds)
	}
	c.release(a)
	return out
}

// found checks how many answers there are.
func (c *check) found(want int, keys ...string) []*dicom.DataSet {
	out := c.find(keys...)
	c.that(len(out) == want, "%d found by %s, want %d", len(out), strings.Join(keys, " "), want)
	return out
}

// get fetches by C-GET.
func (c *check) get(class uid.UID, keys ...string) *kept {
	model := uid.StudyRootQueryRetrieveInformationModelGet
	a := c.wants(dimse.Context{Class: model}, dimse.Context{Class: class, SCP: true})
	k := new(kept)
	for _, err := range a.Get(c.ctx, model, c.identifier(keys...), k) {
		c.must(err, "C-GET %s", strings.Join(keys, " "))
	}
	c.release(a)
	return k
}

// same checks that an object came back as it was sent: each element, and the pixels byte
// for byte. What the peer added is its own.
func (c *check) same(sent *dicom.DataSet, k *kept) {
	instance := sent.UID(tag.SOPInstanceUID)
	got, err := k.object(instance)
	c.must(err, "object %s came", instance)
	for e := range sent.All() {
		back, ok := got.Get(e.Tag)
		if !ok || !bytes.Equal(bytes.TrimRight(e.Bytes(), " \x00"), bytes.TrimRight(back.Bytes(), " \x00")) {
			c.that(false, "%v %s came back as it was sent", e.Tag, keyword(e.Tag))
			return
		}
	}
	c.that(true, "all %d elements came back as they were sent", sent.Len())
}

// kept is what was received, by instance.
type kept struct {
	mu      sync.Mutex
	objects map[uid.UID]*dicom.DataSet
	bytes   int64
}

// mostKept bounds what a scenario receives.
const mostKept = 512 << 20

// Store implements dimse.Storer.
func (k *kept) Store(_ context.Context, in *dimse.Incoming) error {
	b, err := io.ReadAll(io.LimitReader(in.Body, mostKept+1))
	if err != nil {
		return err
	}
	ds, err := dicom.DecodeBytes(b, dicom.DecodeOptions{Syntax: in.Syntax})
	if err != nil {
		return &dimse.StatusError{Status: dimse.UnableToProcess, Err: err}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bytes += int64(len(b)); k.bytes > mostKept {
		return &dimse.StatusError{Status: dimse.OutOfResources}
	}
	if k.objects == nil {
		k.objects = map[uid.UID]*dicom.DataSet{}
	}
	k.objects[in.Instance] = ds
	return nil
}

func (k *kept) object(instance uid.UID) (*dicom.DataSet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if ds := k.objects[instance]; ds != nil {
		return ds, nil
	}
	return nil, fmt.Errorf("not among the %d received", len(k.objects))
}

func (k *kept) len() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.objects)
}

// secure returns the peer over TLS, or skips.
func (c *check) secure() Peer {
	if c.overTLS == nil {
		c.skip("the peer was not named with TLS: --tls, --tls-ca")
	}
	return *c.overTLS
}

// tool runs one of DCMTK's own programs and returns what it printed. It is called by its
// path, so that it is not Gantry under that name.
func (c *check) tool(name string, args ...string) string {
	file := filepath.Join("/usr/bin", name)
	if _, err := os.Stat(file); err != nil {
		c.skip("%s is not installed", file)
	}
	if c.peer.TLS {
		c.skip("the peer wants TLS")
	}
	var out capped
	cmd := exec.CommandContext(c.ctx, file, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out.String())
	}
	c.must(err, "%s %s", name, strings.Join(args, " "))
	return out.String()
}

// capped keeps the beginning of what is written to it.
type capped struct{ bytes.Buffer }

// Write keeps up to 1 MiB.
func (w *capped) Write(p []byte) (int, error) {
	w.Buffer.Write(p[:min(len(p), max(0, 1<<20-w.Len()))])
	return len(p), nil
}

// folder is one that is removed with the scenario.
func (c *check) folder() string {
	dir, err := os.MkdirTemp("", "gantry-selftest-")
	c.must(err, "make a folder")
	c.ends = append(c.ends, func() { os.RemoveAll(dir) })
	return dir
}

// untrusted reports whether an error is about a certificate that nobody trusted signed.
func untrusted(err error) bool {
	var e *tls.CertificateVerificationError
	return errors.As(err, &e)
}
