package dimse

import (
	"reflect"
	"testing"

	"gantry/dicom/uid"
	"gantry/ul"
)

func storeMux() *ServeMux {
	m := echoMux()
	m.HandleFunc(CStore, AnyClass, echo)
	m.HandleFunc(CFind, findClass, echo)
	return m
}

func TestChooseSyntax(t *testing.T) {
	const impl, expl, big, jpeg, smpte = uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian,
		uid.JPEGLosslessSV1, uid.SMPTEST211020UncompressedProgressiveActiveVideo
	list := func(u ...uid.UID) []uid.UID { return u }
	for _, c := range []struct {
		class    uid.UID
		proposed []uid.UID
		grant    Grant
		want     uid.UID
	}{
		{uid.CTImageStorage, list(impl, expl), Grant{}, expl},
		{uid.CTImageStorage, list(impl, big), Grant{}, impl},
		{uid.CTImageStorage, list(big), Grant{}, big},
		{uid.CTImageStorage, list(big, impl, jpeg, expl), Grant{}, jpeg},
		{uid.CTImageStorage, list(expl, jpeg), Grant{}, expl},
		{uid.CTImageStorage, list(smpte), Grant{}, ""},
		{uid.CTImageStorage, list(smpte, impl), Grant{Syntaxes: list(smpte)}, impl},
		{uid.CTImageStorage, list(uid.XMLEncoding, uid.RFC2557MIMEEncapsulation), Grant{}, ""},
		{uid.CTImageStorage, list("1.2.840.113619.5.2"), Grant{}, ""},
		{uid.CTImageStorage, list(expl, jpeg, impl), Grant{Syntaxes: list(impl, jpeg)}, impl},
		{uid.CTImageStorage, list(expl, jpeg), Grant{Syntaxes: list(impl)}, expl},
		{uid.CTImageStorage, list(expl, jpeg), Grant{Syntaxes: list(impl), OnlySyntaxes: true}, ""},
		{uid.Verification, list(expl), Grant{Syntaxes: list(impl), OnlySyntaxes: true}, expl},
		{uid.Verification, list(jpeg), Grant{}, ""},
		{findClass, list(uid.DeflatedExplicitVRLittleEndian, impl), Grant{}, uid.DeflatedExplicitVRLittleEndian},
		{uid.CTImageStorage, nil, Grant{}, ""},
	} {
		if got := chooseSyntax(&ul.ProposedContext{AbstractSyntax: c.class, TransferSyntaxes: c.proposed}, &c.grant); got != c.want {
			t.Errorf("%s %v %v: %q, want %q", c.class, c.proposed, c.grant.Syntaxes, got, c.want)
		}
	}
}

// TestEveryStorageClass: each storage class of the dictionary, an unknown and a private one
// are accepted in each syntax that can be stored; SMPTE ST 2110 never.
func TestEveryStorageClass(t *testing.T) {
	classes := []uid.UID{"1.2.840.10008.5.1.4.1.1.99999", "1.3.12.2.1107.5.9.1"}
	for c := range uid.StorageClasses() {
		classes = append(classes, c)
	}
	if len(classes) < 150 {
		t.Fatalf("%d classes", len(classes))
	}
	syntaxes := 0
	for _, class := range classes {
		n := negotiation{handler: storeMux(), rq: &ul.AssociateRQ{}}
		id := byte(1)
		for ts, info := range uid.All() {
			if info.Kind != uid.KindTransferSyntax || int(id) > 253 {
				continue
			}
			s, _ := ts.SyntaxInfo()
			a := n.context(&ul.ProposedContext{ID: id, AbstractSyntax: class, TransferSyntaxes: []uid.UID{ts}})
			want := ul.ContextAccepted
			if s.RealTime || s.Foreign {
				want = ul.ContextTransferSyntaxesNotSupported
			}
			if a.Result != want || want == ul.ContextAccepted && a.TransferSyntax != ts {
				t.Errorf("%s in %s: %v", class.Name(), ts.Name(), a.Result)
			}
			syntaxes++
		}
	}
	if syntaxes < 50*len(classes) {
		t.Errorf("%d combinations", syntaxes)
	}
	n := negotiation{handler: storeMux(), rq: &ul.AssociateRQ{}, knownStorage: true}
	if a := n.context(&ul.ProposedContext{ID: 1, AbstractSyntax: classes[0], TransferSyntaxes: []uid.UID{uid.ImplicitVRLittleEndian}}); a.Result != ul.ContextAbstractSyntaxNotSupported {
		t.Errorf("unknown class under KnownStorage: %v", a.Result)
	}
}

func TestRoles(t *testing.T) {
	get := storeMux()
	get.HandleFunc(CGet, uid.StudyRootQueryRetrieveInformationModelGet, echo)
	onlyGet := new(ServeMux)
	onlyGet.HandleFunc(CGet, uid.StudyRootQueryRetrieveInformationModelGet, echo)
	const ct = uid.CTImageStorage
	for _, c := range []struct {
		name     string
		h        Handler
		role     *ul.RoleSelection
		accepted bool
		answer   []ul.RoleSelection
	}{
		{"default", get, nil, true, nil},
		{"both", get, &ul.RoleSelection{Class: ct, SCU: true, SCP: true}, true, []ul.RoleSelection{{Class: ct, SCU: true, SCP: true}}},
		{"provider", get, &ul.RoleSelection{Class: ct, SCP: true}, true, []ul.RoleSelection{{Class: ct, SCP: true}}},
		{"no C-GET here", storeMux(), &ul.RoleSelection{Class: ct, SCU: true, SCP: true}, true, []ul.RoleSelection{{Class: ct, SCU: true}}},
		{"provider, no C-GET here", storeMux(), &ul.RoleSelection{Class: ct, SCP: true}, false, []ul.RoleSelection{{Class: ct}}},
		{"no C-STORE here", onlyGet, &ul.RoleSelection{Class: ct, SCU: true, SCP: true}, true, []ul.RoleSelection{{Class: ct, SCP: true}}},
		{"no C-STORE here, default", onlyGet, nil, false, nil},
	} {
		rq := &ul.AssociateRQ{Contexts: []ul.ProposedContext{{ID: 1, AbstractSyntax: ct, TransferSyntaxes: []uid.UID{uid.ImplicitVRLittleEndian}}}}
		if c.role != nil {
			rq.User.Roles = []ul.RoleSelection{*c.role}
		}
		n := negotiation{handler: c.h, rq: rq}
		ac := n.answer()
		if (ac.Contexts[0].Result == ul.ContextAccepted) != c.accepted || !reflect.DeepEqual(ac.User.Roles, c.answer) {
			t.Errorf("%s: %v %+v", c.name, ac.Contexts[0].Result, ac.User.Roles)
		}
	}
}

func TestAnswerUserInformation(t *testing.T) {
	rq := &ul.AssociateRQ{User: ul.UserInformation{Async: &ul.AsyncWindow{Invoked: 0, Performed: 8}, Identity: &ul.UserIdentity{Type: ul.IdentityUsername, ResponseRequested: true}}}
	n := negotiation{handler: echoMux(), rq: rq, window: 5, grant: Grant{IdentityResponse: []byte("ok")}}
	u := n.answer().User
	if *u.Async != (ul.AsyncWindow{Invoked: 5, Performed: 5}) || string(u.IdentityResponse.Response) != "ok" || u.ImplementationClass != ImplementationClass {
		t.Errorf("%+v", u)
	}
	if u = (&negotiation{handler: echoMux(), rq: &ul.AssociateRQ{}}).answer().User; u.Async != nil || u.IdentityResponse != nil {
		t.Errorf("%+v", u)
	}
	if !ImplementationClass.Valid() || len(ImplementationVersion) > 16 {
		t.Error("implementation identification")
	}
}

// TestRelatedGeneralClass: a private class is served as the general class it is related to.
func TestRelatedGeneralClass(t *testing.T) {
	m := new(ServeMux)
	m.HandleFunc(CFind, findClass, echo)
	addr := start(t, &Server{Handler: m})
	const private = "1.3.12.2.1107.5.9.1"
	d := Dialer{Contexts: []Context{{Class: private}}, CommonExtended: []ul.CommonExtended{{Class: private, ServiceClass: "1.2.840.10008.4.2", Related: []uid.UID{findClass}}}}
	a, err := d.Dial(t.Context(), "SCP", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Abort()
	for _, err := range a.Find(t.Context(), private, identifier(t, "X")) {
		t.Error(err)
	}
	if a.rsp.Status != Success || a.rsp.Op != CFind {
		t.Errorf("%+v", a.rsp)
	}
}
