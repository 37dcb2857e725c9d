package ul

import (
	"encoding/binary"
	"slices"

	"gantry/dicom/uid"
)

// DefaultPeerMaxLength is taken for a peer that, against PS3.8 D.1, sends no Maximum
// Length sub-item.
const DefaultPeerMaxLength = 16384

// UserInformation is the User Information item of A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2.3,
// annex D; PS3.7 annex D.3.3). The zero value is valid and says: unlimited PDUs, and
// nothing about the implementation.
type UserInformation struct {
	MaxLength             uint32                // 51H: longest P-DATA-TF the sender of the item receives; 0 is unlimited
	ImplementationClass   uid.UID               // 52H
	ImplementationVersion string                // 55H, at most 16 characters; empty is left out
	Async                 *AsyncWindow          // 53H
	Roles                 []RoleSelection       // 54H
	Extended              []ExtendedNegotiation // 56H
	CommonExtended        []CommonExtended      // 57H, only in A-ASSOCIATE-RQ
	Identity              *UserIdentity         // 58H, only in A-ASSOCIATE-RQ
	IdentityResponse      *IdentityResponse     // 59H, only in A-ASSOCIATE-AC
}

// AsyncWindow is the Asynchronous Operations Window sub-item (PS3.7 D.3.3.3); zero means
// unlimited.
type AsyncWindow struct{ Invoked, Performed uint16 }

// RoleSelection is the SCP/SCU Role Selection sub-item (PS3.7 D.3.3.4): the roles of the
// association's requestor for one SOP class.
type RoleSelection struct {
	Class    uid.UID
	SCU, SCP bool
}

// ExtendedNegotiation is the SOP Class Extended Negotiation sub-item (PS3.7 D.3.3.5).
type ExtendedNegotiation struct {
	Class uid.UID
	Info  []byte // service class application information
}

// CommonExtended is the SOP Class Common Extended Negotiation sub-item (PS3.7 D.3.3.6).
type CommonExtended struct {
	Class, ServiceClass uid.UID
	Related             []uid.UID // related general SOP classes
}

// append appends the User Information item. Sub-items come in ascending type order.
func (u *UserInformation) append(w *builder) {
	start := w.open(itemUserInformation)
	s := w.open(itemMaximumLength)
	w.b = binary.BigEndian.AppendUint32(w.b, u.MaxLength)
	w.close(s)
	if u.ImplementationClass != "" {
		w.item(itemImplementationClass, string(u.ImplementationClass))
	}
	if u.Async != nil {
		u.Async.append(w)
	}
	for i := range u.Roles {
		u.Roles[i].append(w)
	}
	if u.ImplementationVersion != "" {
		w.item(itemImplementationVersion, u.ImplementationVersion)
	}
	for i := range u.Extended {
		u.Extended[i].append(w)
	}
	for i := range u.CommonExtended {
		u.CommonExtended[i].append(w)
	}
	if u.Identity != nil {
		u.Identity.append(w)
	}
	if u.IdentityResponse != nil {
		u.IdentityResponse.append(w)
	}
	w.close(start)
}

func (a *AsyncWindow) append(w *builder) {
	s := w.open(itemAsyncWindow)
	w.b = binary.BigEndian.AppendUint16(w.b, a.Invoked)
	w.b = binary.BigEndian.AppendUint16(w.b, a.Performed)
	w.close(s)
}

func (r *RoleSelection) append(w *builder) {
	s := w.open(itemRoleSelection)
	w.sized(string(r.Class))
	w.b = append(w.b, flag(r.SCU), flag(r.SCP))
	w.close(s)
}

func (e *ExtendedNegotiation) append(w *builder) {
	s := w.open(itemExtendedNegotiation)
	w.sized(string(e.Class))
	w.b = append(w.b, e.Info...)
	w.close(s)
}

func (c *CommonExtended) append(w *builder) {
	s := w.open(itemCommonExtended)
	w.sized(string(c.Class))
	w.sized(string(c.ServiceClass))
	w.b = append(w.b, 0, 0)
	list := len(w.b)
	for _, r := range c.Related {
		w.sized(string(r))
	}
	n := len(w.b) - list
	if n > 0xFFFF && w.err == nil {
		w.err = invalid(w.pdu, "%d related general SOP classes do not fit", len(c.Related))
	}
	binary.BigEndian.PutUint16(w.b[list-2:], uint16(n))
	w.close(s)
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// decode decodes the value of the User Information item; unknown sub-items are skipped.
func (u *UserInformation) decode(t PDUType, b []byte) error {
	u.MaxLength = DefaultPeerMaxLength
	return items(t, b, func(kind byte, v []byte) error { return u.decodeItem(t, kind, v) })
}

func (u *UserInformation) decodeItem(t PDUType, kind byte, v []byte) (err error) {
	switch kind {
	case itemMaximumLength:
		if len(v) != 4 {
			return invalid(t, "Maximum Length sub-item of %d bytes", len(v))
		}
		u.MaxLength = binary.BigEndian.Uint32(v)
	case itemImplementationClass:
		u.ImplementationClass = uid.Parse(v)
	case itemImplementationVersion:
		u.ImplementationVersion = trimText(v)
	case itemAsyncWindow:
		if len(v) != 4 {
			return invalid(t, "Asynchronous Operations Window sub-item of %d bytes", len(v))
		}
		u.Async = &AsyncWindow{binary.BigEndian.Uint16(v), binary.BigEndian.Uint16(v[2:])}
	case itemRoleSelection:
		err = u.decodeRole(t, v)
	case itemExtendedNegotiation:
		err = u.decodeExtended(t, v)
	case itemCommonExtended:
		err = u.decodeCommon(t, v)
	case itemUserIdentityRQ:
		u.Identity, err = decodeIdentity(t, v)
	case itemUserIdentityAC:
		u.IdentityResponse, err = decodeIdentityResponse(t, v)
	}
	return err
}

func (u *UserInformation) decodeRole(t PDUType, v []byte) error {
	class, rest, err := cutUID(t, v)
	if err != nil {
		return err
	}
	if len(rest) != 2 {
		return invalid(t, "Role Selection sub-item with %d bytes of roles", len(rest))
	}
	u.Roles = append(u.Roles, RoleSelection{class, rest[0] == 1, rest[1] == 1})
	return nil
}

func (u *UserInformation) decodeExtended(t PDUType, v []byte) error {
	class, rest, err := cutUID(t, v)
	if err != nil {
		return err
	}
	u.Extended = append(u.Extended, ExtendedNegotiation{class, slices.Clone(rest)})
	return nil
}

func (u *UserInformation) decodeCommon(t PDUType, v []byte) error {
	var c CommonExtended
	var err error
	if c.Class, v, err = cutUID(t, v); err != nil {
		return err
	}
	if c.ServiceClass, v, err = cutUID(t, v); err != nil {
		return err
	}
	related, _, err := cutSized(t, v) // bytes behind are reserved for later editions
	if err != nil {
		return err
	}
	for len(related) > 0 {
		var r uid.UID
		if r, related, err = cutUID(t, related); err != nil {
			return err
		}
		c.Related = append(c.Related, r)
	}
	u.CommonExtended = append(u.CommonExtended, c)
	return nil
}
