package verb

import (
	"errors"
	"io"
	"os"

	"gantry/ul"
)

// The kinds of token of user identity negotiation.
const (
	Kerberos = ul.IdentityKerberos
	SAML     = ul.IdentitySAML
	JWT      = ul.IdentityJWT
)

// maxToken is what the field of a token holds.
const maxToken = 0xFFFF

func (p *Peer) identity() *ul.UserIdentity {
	if p.Identity == nil {
		p.Identity = &ul.UserIdentity{Type: ul.IdentityUsername}
	}
	return p.Identity
}

// SetUser logs in by a name.
func (p *Peer) SetUser(v []string) error {
	p.identity().Primary = []byte(v[0])
	return nil
}

// SetPassword logs in by a name and this password.
func (p *Peer) SetPassword(v []string) error {
	p.identity().Type = ul.IdentityPassword
	p.Identity.Secondary = []byte(v[0])
	return nil
}

// AskResponse asks the peer to confirm the login.
func (p *Peer) AskResponse([]string) error {
	p.identity().ResponseRequested = true
	return nil
}

// SetToken logs in by a token in a file.
func (p *Peer) SetToken(kind ul.IdentityType) func([]string) error {
	return func(v []string) error {
		f, err := os.Open(v[0])
		if err != nil {
			return err
		}
		defer f.Close()
		b, err := io.ReadAll(io.LimitReader(f, maxToken+1))
		if err != nil {
			return err
		}
		if len(b) == 0 || len(b) > maxToken {
			return errors.New("a token has 1 to 65535 bytes")
		}
		p.identity().Type, p.Identity.Primary = kind, b
		return nil
	}
}
