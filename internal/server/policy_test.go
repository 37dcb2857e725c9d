package server

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/internal/config"
	"gantry/ul"
)

func table(t *testing.T, yaml string) *peerTable {
	t.Helper()
	l := config.NewLoader()
	l.YAML("test.yaml", []byte(yaml))
	c, err := l.Done()
	if err != nil {
		t.Fatal(err)
	}
	return newPeerTable(context.Background(), c)
}

// TestKnown binds an AE title to the address of its peer: a title alone proves nothing
// (S22).
func TestKnown(t *testing.T) {
	p := table(t, "peers: ['CT1:10.0.0.5:104', 'MR1:[2001:db8::1]:104']\naccess_control: {allowed_ae_titles: ['US*', 'A[1]', 'X?']}\n")
	for _, c := range []struct {
		ae, host string
		want     bool
	}{
		{"CT1", "10.0.0.5", true},
		{"CT1", "10.0.0.6", false},
		{" CT1 ", "10.0.0.5", true},
		{"MR1", "2001:db8:0::1", true},
		{"MR1", "::1", false},
		{"US_ROOM_7", "192.0.2.1", true},
		{"A[1]", "192.0.2.1", true},
		{"A1", "192.0.2.1", false},
		{"XY", "192.0.2.1", true},
		{"XYZ", "192.0.2.1", false},
		{"", "192.0.2.1", false},
		{"NOBODY", "10.0.0.5", false},
	} {
		if got := p.known(dimse.AETitle(c.ae), c.host); got != c.want {
			t.Errorf("%q from %s: known is %v", c.ae, c.host, got)
		}
	}
	if p.unknown != "refuse" {
		t.Errorf("beside a list of allowed titles, others get %q", p.unknown)
	}
}

// TestQuarantineGrant lets a stranger echo and store, and nothing else.
func TestQuarantineGrant(t *testing.T) {
	p := table(t, "server: {unknown_ae: quarantine}\npeers: ['CT1:10.0.0.5:104']\n")
	g := p.grant(proposal("STRANGER", "192.0.2.1:1"))
	for u, want := range map[uid.UID]bool{
		uid.Verification: true, uid.CTImageStorage: true, "1.2.3.4.private": true,
		uid.StudyRootQueryRetrieveInformationModelFind: false, uid.StudyRootQueryRetrieveInformationModelMove: false,
		uid.PatientRootQueryRetrieveInformationModelGet: false, uid.StorageCommitmentPushModel: false,
	} {
		if g.Classes(u) != want {
			t.Errorf("%s: %v", u.Name(), !want)
		}
	}
	if g := p.grant(proposal("CT1", "10.0.0.5:1")); g.Classes != nil || g.Value != nil {
		t.Error("a peer is taken for a stranger")
	}
}

// TestGrantForRetrieval lets what a peer wants to be sent decide where it takes objects, and
// nowhere else.
func TestGrantForRetrieval(t *testing.T) {
	p := table(t, "peers: [{ae: WS, host: 10.0.0.5, port: 104, syntaxes: [RLELossless], send_syntaxes: [JPEGLSLossless]}]\n")
	prop := proposal("WS", "10.0.0.5:1")
	if g := p.grant(prop); !slices.Equal(g.Syntaxes, []uid.UID{uid.RLELossless}) {
		t.Errorf("to store: %v", g.Syntaxes)
	}
	prop.Request.User.Roles = []ul.RoleSelection{{Class: uid.CTImageStorage, SCP: true}}
	if g := p.grant(prop); !slices.Equal(g.Syntaxes, []uid.UID{uid.JPEGLSLossless, uid.RLELossless}) {
		t.Errorf("to retrieve: %v", g.Syntaxes)
	}
}

func proposal(calling dimse.AETitle, from string) *dimse.Proposal {
	return &dimse.Proposal{Peer: &dimse.Peer{Calling: calling, Addr: addr(from)}, Request: new(ul.AssociateRQ)}
}

type addr string

func (a addr) Network() string { return "tcp" }
func (a addr) String() string  { return string(a) }

func TestIssuer(t *testing.T) {
	p := table(t, "peers: [{ae: CT1, host: 10.0.0.5, port: 104, issuer: HOSPITAL_A}]\n")
	if p.issuer("CT1", "DEFAULT") != "HOSPITAL_A" || p.issuer("CT2", "DEFAULT") != "DEFAULT" {
		t.Errorf("%q, %q", p.issuer("CT1", "DEFAULT"), p.issuer("CT2", "DEFAULT"))
	}
}

func TestToken(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	first, err := token(name)
	if err != nil || len(first) < 20 {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := token(name); err != nil || again != first {
		t.Errorf("%q, %v, want %q", again, err, first)
	}
	if st, _ := os.Stat(name); st.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read the token: %v", st.Mode())
	}
	if err := os.WriteFile(name, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := token(name); err == nil {
		t.Error("a short token is taken")
	}
}
