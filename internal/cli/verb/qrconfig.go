package verb

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

// qrConfig is what dcmqrscp.cfg says.
type qrConfig struct {
	Port, MaxPDU, MaxAssoc int
	Hosts                  map[string][]qrPeer // by symbolic name
	Areas                  []qrArea
}

// qrPeer is an application entity.
type qrPeer struct{ Title, Host, Port string }

// addr is where it listens.
func (p qrPeer) addr() string { return net.JoinHostPort(p.Host, p.Port) }

// qrArea is a row of the AETable: an AE title of ours and where its objects lie.
type qrArea struct {
	Title, Dir  string
	Read, Write bool
	Studies     int   // at most
	StudyBytes  int64 // of each
	Any         bool  // any peer
	Peers       []qrPeer
}

// maxQRLines bounds a configuration file.
const maxQRLines = 100_000

// readQRConfig reads a configuration file of DCMTK's dcmqrscp. Errors name file and line.
func readQRConfig(name string) (*qrConfig, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, line, err := parseQRConfig(f)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, line, err)
	}
	return c, nil
}

func parseQRConfig(r io.Reader) (*qrConfig, int, error) {
	c := &qrConfig{Port: 104, MaxPDU: 16384, MaxAssoc: 16, Hosts: map[string][]qrPeer{}}
	lines, n, table := bufio.NewScanner(io.LimitReader(r, 16<<20)), 0, ""
	for lines.Scan() {
		if n++; n > maxQRLines {
			return nil, n, errors.New("too many lines")
		}
		words := qrWords(lines.Text())
		if len(words) == 0 {
			continue
		}
		var err error
		switch {
		case len(words) == 2 && strings.EqualFold(words[1], "BEGIN"):
			table = words[0]
		case len(words) == 2 && strings.EqualFold(words[1], "END"):
			table = ""
		case strings.EqualFold(table, "HostTable"):
			err = c.host(words)
		case strings.EqualFold(table, "AETable"):
			err = c.area(words)
		case strings.EqualFold(table, "VendorTable"): // names for people
		default:
			err = c.global(words)
		}
		if err != nil {
			return nil, n, err
		}
	}
	if err := lines.Err(); err != nil {
		return nil, n, err
	}
	if len(c.Areas) == 0 {
		return nil, n, errors.New("the AETable names no AE title")
	}
	return c, n, nil
}

// qrWords splits a line: blanks and commas separate, quotes join, = and brackets are words
// of their own, # begins a comment.
func qrWords(line string) []string {
	var out []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	quoted := false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
			word.WriteRune(c)
		case c == '#':
			end()
			return out
		case c == ' ' || c == '\t' || c == ',' || c == '\r':
			end()
		case c == '=' || c == '(' || c == ')':
			end()
			out = append(out, string(c))
		default:
			word.WriteRune(c)
		}
	}
	end()
	return out
}

func (c *qrConfig) global(words []string) error {
	if len(words) < 3 || words[1] != "=" {
		return fmt.Errorf("%q: want Name = value", strings.Join(words, " "))
	}
	var to *int
	switch strings.ToLower(words[0]) {
	case "networktcpport":
		to = &c.Port
	case "maxpdusize":
		to = &c.MaxPDU
	case "maxassociations":
		to = &c.MaxAssoc
	case "username", "groupname": // the process keeps the user that starts it
		return nil
	case "specificcharacterset":
		return errors.New("remove the line SpecificCharacterSet: answers carry the character set of the objects")
	case "display":
		return errors.New("remove the line Display: there is none")
	default:
		return fmt.Errorf("%s is not known", words[0])
	}
	n, err := strconv.Atoi(words[2])
	if err != nil || n < 1 || n > 1<<27 {
		return fmt.Errorf("%s = %s: want a number", words[0], words[2])
	}
	*to = n
	return nil
}

// host reads Name = (AE, host, port), ... or Name = Name, ...
func (c *qrConfig) host(words []string) error {
	if len(words) < 3 || words[1] != "=" {
		return errors.New("HostTable: want Name = (AETitle, HostName, Port) and more of them, parted by commas")
	}
	peers, err := c.peers(words[2:])
	if err != nil {
		return err
	}
	c.Hosts[words[0]] = append(c.Hosts[words[0]], peers...)
	return nil
}

func (c *qrConfig) peers(words []string) ([]qrPeer, error) {
	var out []qrPeer
	for len(words) > 0 {
		if words[0] != "(" {
			known, ok := c.Hosts[words[0]]
			if !ok {
				return nil, fmt.Errorf("%s is not in the HostTable above", words[0])
			}
			out, words = append(out, known...), words[1:]
			continue
		}
		if len(words) < 5 || words[4] != ")" {
			return nil, errors.New("want (AETitle, HostName, Port)")
		}
		if n, err := strconv.Atoi(words[3]); err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("port %q: want a number", words[3])
		}
		out, words = append(out, qrPeer{words[1], words[2], words[3]}), words[5:]
	}
	return out, nil
}

// area reads AETitle StorageArea Access (maxStudies, maxBytes) Peers.
func (c *qrConfig) area(words []string) error {
	if len(words) < 8 || words[3] != "(" || words[6] != ")" {
		return errors.New("AETable: want AETitle StorageArea R|RW|W (maxStudies, maxBytesPerStudy) Peers")
	}
	a := qrArea{Title: words[0], Dir: words[1]}
	access := strings.ToUpper(words[2])
	a.Read, a.Write = strings.Contains(access, "R"), strings.Contains(access, "W")
	if strings.Trim(access, "RW") != "" || access == "" {
		return fmt.Errorf("access %q: want R, RW or W", words[2])
	}
	var err error
	if a.Studies, err = strconv.Atoi(words[4]); err != nil || a.Studies < 1 {
		return fmt.Errorf("studies %q: want a number", words[4])
	}
	if a.StudyBytes, err = qrBytes(words[5]); err != nil {
		return err
	}
	if a.Any = strings.EqualFold(words[7], "ANY"); !a.Any {
		if a.Peers, err = c.peers(words[7:]); err != nil {
			return err
		}
	}
	c.Areas = append(c.Areas, a)
	return nil
}

// qrBytes reads 1024mb.
func qrBytes(s string) (int64, error) {
	text, unit := strings.ToLower(s), int64(1)
	for _, u := range [...]struct {
		name string
		size int64
	}{{"kb", 1 << 10}, {"mb", 1 << 20}, {"gb", 1 << 30}} {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = rest, u.size
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > (1<<62)/unit {
		return 0, fmt.Errorf("size %q: want a number with kb, mb or gb", s)
	}
	return n * unit, nil
}
