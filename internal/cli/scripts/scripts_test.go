//go:build unix

package scripts

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicomtest"
	"gantry/internal/cli"
	"gantry/internal/cli/compat"
	"gantry/pixel"
)

// root is the project's folder.
var root = filepath.Join("..", "..", "..")

var update = flag.Bool("update", false, "write what cmp compares with anew")

// TestMain makes the test binary every program: a script's commands are links to it.
func TestMain(m *testing.M) {
	run := func() { os.Exit(cli.Main(os.Args, cli.System())) }
	programs := map[string]func(){"gantry": run}
	for _, name := range slices.Concat(compat.Names(false), compat.Names(true)) {
		programs[name] = run
	}
	testscript.Main(m, programs)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(root, "testdata", "scripts"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Deadline:            time.Now().Add(2 * time.Minute),
		Setup:               setup,
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"needs": needs, "ports": ports, "listening": listening, "objects": objects, "images": images, "pixels": samePixels, "exits": exits, "tour": tour,
		},
	})
}

// setup keeps DCMTK at its best, and gives each script a configuration for dcmqrscp.
func setup(e *testscript.Env) error {
	e.Values["t"] = e.T()
	e.Setenv("TCP_NODELAY", "1")
	e.Setenv("NO_COLOR", "1")
	e.Setenv("DCMDICTPATH", "/usr/share/libdcmtk17/dicom.dic")
	return os.WriteFile(filepath.Join(e.WorkDir, "qr.cfg"), []byte(qrConfig), 0o600)
}

// qrConfig is a file qr.cfg for dcmqrscp: QR keeps its objects in db.
const qrConfig = `NetworkTCPPort = 1
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
QR db RW (200, 1024mb) ANY
AETable END
`

// condition knows [encodes:UID]: whether this version writes a transfer syntax.
func condition(name string) (bool, error) {
	u, ok := strings.CutPrefix(name, "encodes:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	c, _ := pixel.Builtin().Lookup(uid.UID(u))
	return c.Encoder != nil, nil
}

// needs PATH...: peers that must be installed.
func needs(ts *testscript.TestScript, neg bool, args []string) {
	for _, path := range args {
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			ts.Fatalf("%s is missing: scripts/setup installs it", path)
		}
		ts.Value("t").(testscript.T).Skip(path + " IS MISSING: nothing was tested; scripts/setup installs it")
	}
}

// ports NAME...: sets each variable to a free port. They lie below those that the system
// gives to connections, and none is given twice.
func ports(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		for {
			port := strconv.Itoa(firstPort + int(lastPort.Add(1))%manyPorts)
			if l, err := net.Listen("tcp", ":"+port); err == nil {
				l.Close()
				ts.Setenv(name, port)
				break
			}
		}
	}
}

const firstPort, manyPorts = 12_000, 20_000

var lastPort atomic.Int64

func init() { lastPort.Store(rand.Int64N(manyPorts)) }

// listening PORT...: waits until something accepts connections there.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	for _, port := range args {
		deadline := time.Now().Add(30 * time.Second)
		for {
			c, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err == nil {
				c.Close()
				break
			}
			if time.Now().After(deadline) {
				ts.Fatalf("nothing listens on port %s: %v", port, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// objects DIR N: writes the made-up objects 0 to N-1 as files, ten to a series.
func objects(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: objects DIR N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for i := range n {
		ts.Check(object(filepath.Join(dir, fmt.Sprintf("%03d.dcm", i)), i))
	}
}

func object(name string, n int) error {
	ds, err := dicomtest.Object{N: n}.DataSet()
	if err != nil {
		return err
	}
	info := part10.MetaInfo{Class: ds.UID(tag.SOPClassUID), Instance: ds.UID(tag.SOPInstanceUID), Syntax: uid.ExplicitVRLittleEndian}
	meta, err := info.Meta()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := part10.Write(&b, meta, ds, info.Syntax); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// exits CODE PROGRAM ARG...: exec, with the exit code that is wanted.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(code) != want {
		ts.Fatalf("%s: exit code %d, want %s", args[1], code, want)
	}
}
