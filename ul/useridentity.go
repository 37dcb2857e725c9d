package ul

import "slices"

// IdentityType tells what the fields of a UserIdentity hold (PS3.7 D.3.3.7.1).
type IdentityType byte

// The types of table D.3-14.
const (
	IdentityUsername IdentityType = 1 // user name in UTF-8
	IdentityPassword IdentityType = 2 // user name and passcode in UTF-8
	IdentityKerberos IdentityType = 3 // Kerberos service ticket
	IdentitySAML     IdentityType = 4 // SAML assertion
	IdentityJWT      IdentityType = 5 // JSON Web Token
)

// UserIdentity is the User Identity sub-item of A-ASSOCIATE-RQ (PS3.7 D.3.3.7.1).
type UserIdentity struct {
	Type              IdentityType
	ResponseRequested bool
	Primary           []byte
	Secondary         []byte // the passcode of IdentityPassword, else empty
}

// IdentityResponse is the User Identity sub-item of A-ASSOCIATE-AC (PS3.7 D.3.3.7.2).
type IdentityResponse struct{ Response []byte }

func (u *UserIdentity) append(w *builder) {
	s := w.open(itemUserIdentityRQ)
	w.b = append(w.b, byte(u.Type), flag(u.ResponseRequested))
	w.sized(string(u.Primary))
	w.sized(string(u.Secondary))
	w.close(s)
}

func (r *IdentityResponse) append(w *builder) {
	s := w.open(itemUserIdentityAC)
	w.sized(string(r.Response))
	w.close(s)
}

func decodeIdentity(t PDUType, v []byte) (*UserIdentity, error) {
	if len(v) < 2 {
		return nil, invalid(t, "User Identity sub-item of %d bytes", len(v))
	}
	u := &UserIdentity{Type: IdentityType(v[0]), ResponseRequested: v[1] == 1}
	primary, rest, err := cutSized(t, v[2:])
	if err != nil {
		return nil, err
	}
	secondary, _, err := cutSized(t, rest)
	if err != nil {
		return nil, err
	}
	u.Primary, u.Secondary = slices.Clone(primary), slices.Clone(secondary)
	return u, nil
}

func decodeIdentityResponse(t PDUType, v []byte) (*IdentityResponse, error) {
	b, _, err := cutSized(t, v)
	if err != nil {
		return nil, err
	}
	return &IdentityResponse{slices.Clone(b)}, nil
}
