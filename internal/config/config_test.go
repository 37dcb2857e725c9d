package config

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// described is the configuration file of the described server, with every key it has.
const described = `
server:
  ae_title: MY_PACS
  port: 11112
  max_associations: 50
  idle_timeout: 60
storage:
  directory: ./archive
  naming: hierarchical
  duplicate_policy: reject
database:
  path: ./pacs.db
  wal_mode: true
logging:
  level: info
  file: ./logs/pacs.log
  console: true
access_control:
  allowed_ae_titles:
    - CT_SCANNER
    - "MR*"
tls:
  enabled: true
  cert_path: a.pem
  key_path: b.pem
monitoring:
  enabled: true
  metrics_port: 9090
`

func load(text string) (*Config, error) {
	l := NewLoader()
	l.YAML("test.yaml", []byte(text))
	return l.Done()
}

func TestDescribedFile(t *testing.T) {
	c, err := load(described)
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.AETitle != "MY_PACS" || c.Server.MaxAssociations != 50 || c.Server.IdleTimeout != time.Minute ||
		c.Storage.Layout != "plain" || c.Storage.Naming != "hierarchical" || c.Storage.DuplicatePolicy != "reject" ||
		!slices.Equal(c.Access.AllowedAETitles, []string{"CT_SCANNER", "MR*"}) || !c.TLS.Enabled || c.TLS.CertPath != "a.pem" {
		t.Errorf("%+v", c)
	}
}

func TestErrorsComeAllAtOnceWithTheirLines(t *testing.T) {
	_, err := load("server:\n  port: many\n  ae_title: A_TITLE_THAT_IS_TOO_LONG\nstorage:\n  namimg: flat\n  duplicate_policy: maybe\ndatabase:\n  wal_mode: false\n")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`test.yaml:2: server.port: "many" is no whole number`,
		`test.yaml:3: server.ae_title: the AE title "A_TITLE_THAT_IS_TOO_LONG" has more than 16 characters`,
		`test.yaml:5: storage.namimg: no such key; do you mean storage.naming?`,
		`test.yaml:6: storage.duplicate_policy: "maybe" is none of keep, reject`,
		`test.yaml:8: database.wal_mode:`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing: %s\nin: %v", want, err)
		}
	}
}

// TestPeerSyntaxes takes transfer syntaxes by UID and keyword, and nothing else.
func TestPeerSyntaxes(t *testing.T) {
	c, err := load("peers: [{ae: A, host: h, port: 104, syntaxes: [RLELossless], send_syntaxes: [JPEGLSLossless, 1.2.840.10008.1.2.1]}]")
	if err != nil || len(c.Peers) != 1 || !slices.Equal(c.Peers[0].SendSyntaxes, []string{"JPEGLSLossless", "1.2.840.10008.1.2.1"}) {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := load("peers: [{ae: A, host: h, port: 104, send_syntaxes: [JPEG]}]"); err == nil || !strings.Contains(err.Error(), `"JPEG" is no transfer syntax`) {
		t.Errorf("%v", err)
	}
}

// TestArrivalRules takes for each rule what makes sense for it.
func TestArrivalRules(t *testing.T) {
	c, err := load("peers: [{ae: A, host: h, port: 104, store_as: JPEGLSLossless, derive: JPEGBaseline8Bit, derive_quality: 75}]")
	if err != nil || c.Peers[0].StoreAs != "JPEGLSLossless" || c.Peers[0].Derive != "JPEGBaseline8Bit" || c.Peers[0].Quality != 75 {
		t.Errorf("%+v, %v", c, err)
	}
	for rule, want := range map[string]string{
		"store_as: JPEGBaseline8Bit":                    "loses nothing",
		"store_as: MPEG2MPML":                           "loses nothing",
		"derive: RLELossless":                           "loses information",
		"derive: nothing":                               "loses information",
		"derive_quality: 50":                            "derive_quality",
		"derive: JPEGBaseline8Bit, derive_quality: 300": "derive_quality",
		"derive: JPEGBaseline8Bit, derived_quality: 30": "no such key",
	} {
		if _, err := load("peers: [{ae: A, host: h, port: 104, " + rule + "}]"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

// TestPending holds the list of keys that are known but do nothing yet; it may only
// shrink.
func TestPending(t *testing.T) {
	want := []string{"security.access_control.enabled", "security.access_control.default_role",
		"security.anonymization.auto_anonymize", "security.anonymization.profile",
		"rest_api.enabled", "rest_api.port", "rest_api.cors_enabled", "logging.audit_log_path"}
	if got := Pending(); !slices.Equal(got, want) {
		t.Errorf("pending %v, want %v", got, want)
	}
	for _, name := range Pending() {
		l := NewLoader()
		l.Flag("x", name, "true")
		if _, err := l.Done(); err == nil || !strings.Contains(err.Error(), "not part of this version") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEnvironmentAndFlagsOverride(t *testing.T) {
	l := NewLoader()
	l.YAML("test.yaml", []byte("server: {port: 1}\npeers: ['A:host:104', {ae: B, host: '::1', port: 105, issuer: X}]"))
	l.Environment([]string{"GANTRY_SERVER_PORT=2", "GANTRY_LOGGING_LEVEL=debug", "HOME=/"})
	l.Flag("port", "server.port", "3")
	l.Flag("peer", "peers", "C:[::1]:106")
	c, err := l.Done()
	if err != nil {
		t.Fatal(err)
	}
	if c.Server.Port != 3 || c.Logging.Level != "debug" || l.Sources["server.port"] != "flag --port" {
		t.Errorf("%+v %v", c.Server, l.Sources)
	}
	if len(c.Peers) != 3 || c.Peers[1].Issuer != "X" || c.Peers[2].Host != "::1" {
		t.Errorf("%+v", c.Peers)
	}
}

func TestAuthOffOnlyOnLoopback(t *testing.T) {
	if _, err := load("http: {auth: off}"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"http: {auth: off, address: '0.0.0.0:8042'}", "http: {auth: off}\nserver: {bind: 10.0.0.1}"} {
		if _, err := load(text); err == nil {
			t.Errorf("accepted: %s", text)
		}
	}
}

func TestUnknownCaller(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                                "serve",
		"server: {bind: 0.0.0.0}":           "echo",
		"server: {unknown_ae: refuse}":      "refuse",
		"server: {bind: '::1'}":             "serve",
		"server: {bind: pacs.hospital}":     "echo",
		"server: {idle_timeout_seconds: 5}": "serve",
	} {
		c, err := load(text)
		if err != nil || c.UnknownCaller() != want {
			t.Errorf("%s: %v, %v", text, c, err)
		}
	}
}

// TestSampleIsTheDefault uncomments the sample file: it must load and change nothing.
func TestSampleIsTheDefault(t *testing.T) {
	var b bytes.Buffer
	Sample(&b)
	var text []string
	for line := range strings.Lines(b.String()) {
		trimmed := strings.TrimLeft(line, " ")
		if rest, ok := strings.CutPrefix(trimmed, "#"); ok && !strings.HasPrefix(rest, " ") {
			line = line[:len(line)-len(trimmed)] + rest
		}
		text = append(text, line)
	}
	c, err := load(strings.Join(text, ""))
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(text, ""))
	}
	want, _ := NewLoader().Done()
	for _, k := range keys() {
		if k.pending == "" && value(k, c) != value(k, want) {
			t.Errorf("%s: %q, want %q", k.name, value(k, c), value(k, want))
		}
	}
}

func FuzzYAML(f *testing.F) {
	f.Add([]byte(described))
	f.Add([]byte("peers: [{ae: A}]\nserver: 3\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<12 {
			return
		}
		load(string(b))
	})
}
