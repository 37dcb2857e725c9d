package verb

import (
	"net"
	"os"
	"path/filepath"
	"strings"

	"gantry/dicom/part10"
	"gantry/dicom/uid"
)

// calls are the options of DCMTK's callers for the peer, and behind them host and port.
func (c *check) calls(options ...string) []string {
	host, port, err := net.SplitHostPort(c.peer.Addr)
	c.must(err, "address")
	return append(append([]string{"-aet", c.peer.Calling, "-aec", string(c.peer.Called)}, options...), host, port)
}

func testEchoscu(c *check) { c.tool("echoscu", c.calls()...) }

func testStorescu(c *check) {
	m, name := c.maker("CT", 64<<10), filepath.Join(c.folder(), "object.dcm")
	ds, err := m.whole(0)
	c.must(err, "make up an object")
	meta, err := part10.MetaInfo{Class: m.class, Instance: m.instance(0), Syntax: uid.ExplicitVRLittleEndian}.Meta()
	c.must(err, "file meta information")
	f, err := os.Create(name)
	c.must(err, "file")
	err = part10.Write(f, meta, ds, uid.ExplicitVRLittleEndian)
	f.Close()
	c.must(err, "write %s", name)
	c.tool("storescu", append(c.calls(), name)...)
	c.sent.Add(1)
	out := c.tool("findscu", c.calls("-S", "-k", "QueryRetrieveLevel=IMAGE", "-k", "StudyInstanceUID="+string(m.study(0)),
		"-k", "SeriesInstanceUID="+string(m.series(0)), "-k", "SOPInstanceUID")...)
	c.that(strings.Contains(out, string(m.instance(0))), "findscu prints the instance")
	c.same(ds, c.get(m.class, "QueryRetrieveLevel=STUDY", "StudyInstanceUID="+string(m.study(0))))
}

func testGetscu(c *check) {
	m, dir := c.maker("MR", 64<<10), c.folder()
	c.store(m, 0, 3)
	c.tool("getscu", c.calls("-S", "-od", dir, "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID="+string(m.study(0)))...)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	c.must(err, "list the folder")
	if c.that(len(files) == 3, "getscu wrote %d files, want 3", len(files)) {
		out := c.tool("dcmdump", files[0])
		c.that(strings.Contains(out, string(m.study(0))), "dcmdump prints the study")
	}
}
