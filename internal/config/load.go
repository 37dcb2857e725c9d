package config

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Source says where a value came from: the default, file:line, an environment variable
// or a flag.
type Source string

// Loader puts a configuration together and remembers where each value came from. Errors
// are collected: Done returns all of them.
type Loader struct {
	Config  *Config
	Sources map[string]Source // by key name
	byName  map[string]key
	errs    []error
}

// NewLoader starts from the defaults.
func NewLoader() *Loader {
	l := &Loader{Config: Default(), Sources: map[string]Source{}, byName: map[string]key{}}
	for _, k := range keys() {
		l.byName[k.name] = k
		for _, a := range k.aliases {
			l.byName[a] = k
		}
	}
	return l
}

func (l *Loader) errorf(from Source, format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf("%s: %s", from, fmt.Sprintf(format, args...)))
}

const maxFile = 1 << 20

// File reads a YAML file.
func (l *Loader) File(name string) {
	st, err := os.Stat(name)
	if err == nil && st.Size() > maxFile {
		err = fmt.Errorf("%s: larger than %d bytes", name, maxFile)
	}
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	b, err := os.ReadFile(name)
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	l.YAML(name, b)
}

// YAML reads the text of a file.
func (l *Loader) YAML(name string, text []byte) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		l.errorf(Source(name), "%v", err)
		return
	}
	if len(doc.Content) == 0 {
		return
	}
	l.mapping(name, "", doc.Content[0], map[string]int{})
}

// mapping walks the sections down to the keys.
func (l *Loader) mapping(file, prefix string, n *yaml.Node, seen map[string]int) {
	at := func(n *yaml.Node) Source { return Source(fmt.Sprintf("%s:%d", file, n.Line)) }
	if n.Kind != yaml.MappingNode {
		l.errorf(at(n), "%s: want keys and values", strings.TrimSuffix(prefix, "."))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := prefix+n.Content[i].Value, n.Content[i+1]
		k, ok := l.byName[name]
		switch {
		case ok && seen[k.name] > 0:
			l.errorf(at(n.Content[i]), "%s: set before on line %d", name, seen[k.name])
		case ok:
			seen[k.name] = n.Content[i].Line
			l.set(k, name, at(n.Content[i]), value)
		case l.isSection(name):
			if value.Tag != "!!null" {
				l.mapping(file, name+".", value, seen)
			}
		default:
			l.errorf(at(n.Content[i]), "%s: no such key%s", name, l.suggest(name))
		}
	}
}

func (l *Loader) isSection(name string) bool {
	for full := range l.byName {
		if strings.HasPrefix(full, name+".") {
			return true
		}
	}
	return false
}

// suggest names the key that was probably meant.
func (l *Loader) suggest(name string) string {
	last := name[strings.LastIndexByte(name, '.')+1:]
	best, most := "", 0
	for full := range l.byName {
		n := common(full[strings.LastIndexByte(full, '.')+1:], last)
		if n > most || n == most && full < best {
			best, most = full, n
		}
	}
	if most < 3 {
		return "; `gantry config explain` lists them all"
	}
	return fmt.Sprintf("; do you mean %s?", best)
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// Environment reads GANTRY_SECTION_KEY variables, such as GANTRY_SERVER_PORT.
func (l *Loader) Environment(environ []string) {
	names := map[string]key{}
	for _, k := range keys() {
		names[Variable(k.name)] = k
	}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if k, ok := names[name]; ok {
			l.setText(k, name, Source("environment "+name), value)
		}
	}
}

// Variable is the environment variable of a key.
func Variable(name string) string {
	return "GANTRY_" + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}

// Flag sets a key from a command line flag. Lists are separated by commas.
func (l *Loader) Flag(flag, name, value string) {
	k, ok := l.byName[name]
	if !ok {
		l.errorf(Source("flag --"+flag), "no key %s", name)
		return
	}
	l.setText(k, name, Source("flag --"+flag), value)
}

func (l *Loader) set(k key, name string, from Source, n *yaml.Node) {
	switch v := k.value(l.Config).(type) {
	case *[]string:
		l.list(k, from, n, v)
		return
	case *[]Peer:
		l.peers(from, n, v)
		l.Sources[k.name] = from
		return
	}
	if n.Kind != yaml.ScalarNode {
		l.errorf(from, "%s: want one value", name)
		return
	}
	if n.Tag == "!!null" {
		return
	}
	l.setText(k, name, from, n.Value)
}

func (l *Loader) list(k key, from Source, n *yaml.Node, out *[]string) {
	if n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		l.errorf(from, "%s: want a list", k.name)
		return
	}
	*out = nil
	for _, c := range n.Content {
		*out = append(*out, c.Value)
	}
	l.Sources[k.name] = from
}

// peers reads a list of AE:host:port texts and of mappings.
func (l *Loader) peers(from Source, n *yaml.Node, out *[]Peer) {
	if n.Kind != yaml.SequenceNode {
		l.errorf(from, "peers: want a list")
		return
	}
	for _, c := range n.Content {
		file, _, _ := strings.Cut(string(from), ":")
		at := Source(fmt.Sprintf("%s:%d", file, c.Line))
		p, err := decodePeer(c)
		if err != nil {
			l.errorf(at, "peers: %v", err)
			continue
		}
		*out = append(*out, p)
	}
}

func decodePeer(n *yaml.Node) (Peer, error) {
	if n.Kind == yaml.ScalarNode {
		return ParsePeer(n.Value)
	}
	var m struct {
		AE       string   `yaml:"ae"`
		Host     string   `yaml:"host"`
		Port     int      `yaml:"port"`
		Issuer   string   `yaml:"issuer"`
		TLS      bool     `yaml:"tls"`
		Syntaxes []string `yaml:"syntaxes"`
		Send     []string `yaml:"send_syntaxes"`
		StoreAs  string   `yaml:"store_as"`
		Derive   string   `yaml:"derive"`
		Quality  int      `yaml:"derive_quality"`
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch name := n.Content[i].Value; name {
		case "ae", "host", "port", "issuer", "tls", "syntaxes", "send_syntaxes", "store_as", "derive", "derive_quality":
		default:
			return Peer{}, fmt.Errorf("%s: no such key; a peer has ae, host, port, issuer, tls, syntaxes, send_syntaxes, store_as, derive, derive_quality", name)
		}
	}
	if err := n.Decode(&m); err != nil {
		return Peer{}, err
	}
	p := Peer{m.AE, m.Host, m.Port, m.Issuer, m.TLS, m.Syntaxes, m.Send, m.StoreAs, m.Derive, m.Quality}
	return p, p.check()
}

// setText sets a key from text.
func (l *Loader) setText(k key, name string, from Source, text string) {
	if k.pending != "" {
		l.errorf(from, "%s: %s is not part of this version of Gantry; remove the key", name, k.pending)
		return
	}
	if k.values != "" && text != "" && !oneOf(text, k.values) {
		l.errorf(from, "%s: %q is none of %s", name, text, strings.ReplaceAll(k.values, "|", ", "))
		return
	}
	if err := assign(k.value(l.Config), text); err != nil {
		l.errorf(from, "%s: %v", name, err)
		return
	}
	l.Sources[k.name] = from
}

func oneOf(s, values string) bool {
	for v := range strings.SplitSeq(values, "|") {
		if s == v {
			return true
		}
	}
	return false
}

// assign parses text into the value that p points to.
func assign(p any, text string) (err error) {
	switch p := p.(type) {
	case *string:
		*p = text
	case *int:
		if *p, err = strconv.Atoi(text); err != nil {
			err = fmt.Errorf("%q is no whole number", text)
		}
	case *int64:
		if *p, err = strconv.ParseInt(text, 10, 64); err != nil {
			err = fmt.Errorf("%q is no whole number", text)
		}
	case *bool:
		*p, err = parseBool(text)
	case *time.Duration:
		*p, err = parseDuration(text)
	case *[]string:
		*p = splitList(text)
	case *[]Peer:
		return assignPeers(p, text)
	default:
		err = fmt.Errorf("no value of this kind")
	}
	return err
}

func assignPeers(p *[]Peer, text string) error {
	for _, s := range splitList(text) {
		peer, err := ParsePeer(s)
		if err != nil {
			return err
		}
		*p = append(*p, peer)
	}
	return nil
}

func splitList(text string) []string {
	var out []string
	for s := range strings.SplitSeq(text, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

// parseDuration reads whole seconds, or Go's notation: 90s, 5m.
func parseDuration(s string) (time.Duration, error) {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil && n >= 0 {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no time: want seconds, or such as 90s or 5m", s)
	}
	return d, nil
}

// Done checks the whole and returns it, or every error there is.
func (l *Loader) Done() (*Config, error) {
	l.check()
	if len(l.errs) > 0 {
		return nil, errors.Join(l.errs...)
	}
	return l.Config, nil
}

// from is where a key was set, for messages.
func (l *Loader) from(name string) Source {
	if s, ok := l.Sources[name]; ok {
		return s
	}
	return "default"
}
