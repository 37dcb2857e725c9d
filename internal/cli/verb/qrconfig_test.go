package verb

import (
	"strings"
	"testing"
)

const qrSample = `# comment
NetworkTCPPort  = 11112
MaxPDUSize      = 32768
UserName = dcmtk
HostTable BEGIN
acme1 = (ACME1, acmehost1, 5678)
acme2 = (ACME2, acmehost2, 5679)
acme  = acme1, acme2
HostTable END
VendorTable BEGIN
"Acme CT Company" = acme
VendorTable END
AETable BEGIN
STORE  "/tmp/a b"  RW (9, 1024mb)  acme
READ   /tmp/read   R  (200, 2gb)  ANY
AETable END
`

func TestQRConfig(t *testing.T) {
	c, line, err := parseQRConfig(strings.NewReader(qrSample))
	if err != nil {
		t.Fatalf("line %d: %v", line, err)
	}
	if c.Port != 11112 || c.MaxPDU != 32768 || c.MaxAssoc != 16 || len(c.Areas) != 2 {
		t.Fatalf("%+v", c)
	}
	a := c.Areas[0]
	if a.Title != "STORE" || a.Dir != "/tmp/a b" || !a.Read || !a.Write || a.Studies != 9 || a.StudyBytes != 1<<30 || a.Any || len(a.Peers) != 2 || a.Peers[1].addr() != "acmehost2:5679" {
		t.Errorf("%+v", a)
	}
	if a := c.Areas[1]; !a.Read || a.Write || !a.Any || a.StudyBytes != 2<<30 {
		t.Errorf("%+v", a)
	}
	for text, want := range map[string]int{
		"Nonsense = 1":                                1,
		"\nNetworkTCPPort = x":                        2,
		"HostTable BEGIN\na = b\n":                    2,
		"AETable BEGIN\nA /tmp X (1, 1mb) ANY":        2,
		"AETable BEGIN\nA /tmp RW (1, 1xb) ANY":       2,
		"AETable BEGIN\nA /tmp RW (1, 1mb) (B, c, d)": 2,
		"NetworkTCPPort = 104":                        1,
	} {
		if _, line, err := parseQRConfig(strings.NewReader(text)); err == nil || line != want {
			t.Errorf("%q: line %d, %v", text, line, err)
		}
	}
}

func FuzzQRConfig(f *testing.F) {
	f.Add(qrSample)
	f.Fuzz(func(t *testing.T, text string) {
		if c, _, err := parseQRConfig(strings.NewReader(text)); err == nil && len(c.Areas) == 0 {
			t.Error("no area and no error")
		}
	})
}
