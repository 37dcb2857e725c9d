package ul

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"gantry/dicom/uid"
)

func fullRQ() *AssociateRQ {
	return &AssociateRQ{
		Version: 1, Called: "GANTRY", Calling: "SIXTEEN CHARS AE", ApplicationContext: ApplicationContext,
		Contexts: []ProposedContext{
			{1, "1.2.840.10008.1.1", []uid.UID{"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}},
			{255, "1.2.840.10008.5.1.4.1.1.2", []uid.UID{"1.2.840.10008.1.2.4.70"}},
		},
		User: UserInformation{
			MaxLength: 131072, ImplementationClass: "2.25.1", ImplementationVersion: "GANTRY_1",
			Async:          &AsyncWindow{0, 7},
			Roles:          []RoleSelection{{"1.2.840.10008.5.1.4.1.1.2", false, true}, {"1.2.3", true, true}},
			Extended:       []ExtendedNegotiation{{"1.2.840.10008.5.1.4.1.2.2.1", []byte{1, 1, 0}}},
			CommonExtended: []CommonExtended{{"1.2.3.4", "1.2.840.10008.4.2", []uid.UID{"1.2.5", "1.2.6"}}, {"1.2", "1.3", nil}},
			Identity:       &UserIdentity{IdentityPassword, true, []byte("user"), []byte("secret")},
		},
	}
}

func fullAC() *AssociateAC {
	return &AssociateAC{
		Version: 1, Called: "A", Calling: "B", ApplicationContext: ApplicationContext,
		Contexts: []AnsweredContext{{1, ContextAccepted, "1.2.840.10008.1.2.1"}, {3, ContextAbstractSyntaxNotSupported, ""}},
		User: UserInformation{
			ImplementationClass: "2.25.1", Async: &AsyncWindow{1, 1},
			Roles:            []RoleSelection{{"1.2.3", true, false}},
			IdentityResponse: &IdentityResponse{[]byte("ticket")},
		},
	}
}

func TestAssociateRoundTrip(t *testing.T) {
	rq := fullRQ()
	for typ := IdentityUsername; typ <= IdentityJWT; typ++ {
		rq.User.Identity.Type = typ
		b, err := rq.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeAssociateRQ(b[HeaderLength:])
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, rq) {
			t.Fatalf("got\n%+v\nwant\n%+v", got, rq)
		}
	}
	ac := fullAC()
	b, err := ac.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeAssociateAC(b[HeaderLength:])
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, ac) {
		t.Fatalf("got\n%+v\nwant\n%+v", got, ac)
	}
}

// TestAssociateBytes pins the encoding itself, which a round trip cannot.
func TestAssociateBytes(t *testing.T) {
	rq := &AssociateRQ{Called: "ANY", Calling: "ME", ApplicationContext: "1.2",
		Contexts: []ProposedContext{{1, "1.1", []uid.UID{"1.3"}}}, User: UserInformation{MaxLength: 16384}}
	got, err := rq.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "\x01\x00\x00\x00\x00\x6f" + "\x00\x01\x00\x00" + "ANY             " + "ME              " + strings.Repeat("\x00", 32) +
		"\x10\x00\x00\x031.2" +
		"\x20\x00\x00\x12\x01\x00\x00\x00" + "\x30\x00\x00\x031.1" + "\x40\x00\x00\x031.3" +
		"\x50\x00\x00\x08" + "\x51\x00\x00\x04\x00\x00\x40\x00"
	want = strings.Replace(want, "\x6f", string(rune(len(want)-6)), 1)
	if string(got) != want {
		t.Errorf("got\n% x\nwant\n% x", got, want)
	}
}

func TestUnknownItemsAreSkipped(t *testing.T) {
	b, err := fullRQ().Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	// An unknown sub-item inside User Information, which is the last item, and an unknown item behind it.
	at := bytes.LastIndex(b, []byte{itemUserInformation, 0})
	sub := []byte{0x5F, 0, 0, 2, 9, 9}
	b = append(b, sub...)
	n := len(b) - at - 4
	b[at+2], b[at+3] = byte(n>>8), byte(n)
	b = append(b, 0x77, 0, 0, 1, 9)
	got, err := DecodeAssociateRQ(b[HeaderLength:])
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, fullRQ()) {
		t.Errorf("got %+v", got)
	}
}

func TestAppendRefusesWhatDoesNotFit(t *testing.T) {
	long := fullRQ()
	long.Calling = "SEVENTEEN CHARS.."
	many := fullRQ()
	many.Contexts = make([]ProposedContext, 129)
	huge := fullRQ()
	huge.User.Extended = []ExtendedNegotiation{{"1.2", make([]byte, 70000)}}
	related := fullRQ()
	related.User.CommonExtended = []CommonExtended{{"1.2", "1.3", make([]uid.UID, 40000)}}
	identity := fullRQ()
	identity.User.Identity.Primary = make([]byte, 70000)
	for name, rq := range map[string]*AssociateRQ{"title": long, "contexts": many, "extended": huge, "related": related, "identity": identity} {
		if _, err := rq.Append(nil); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	if _, err := many.Append(nil); !strings.Contains(err.Error(), "at most 128") {
		t.Error(err)
	}
}

func TestDecodeRejectsMalformed(t *testing.T) {
	good, _ := fullRQ().Append(nil)
	body := good[HeaderLength:]
	for n := range body {
		if _, err := DecodeAssociateRQ(body[:n]); err != nil {
			var fe *FormatError
			if !errors.As(err, &fe) || fe.Reason != ReasonInvalidParameter {
				t.Fatalf("cut at %d: %v", n, err)
			}
		} else if n < fixedLength {
			t.Fatalf("cut at %d decoded", n)
		}
	}
	even := fullRQ()
	even.Contexts[0].ID = 2
	twice := fullRQ()
	twice.Contexts[1].ID = 1
	syntaxes := fullRQ()
	syntaxes.Contexts[0].TransferSyntaxes = make([]uid.UID, maxSyntaxes+1)
	for name, rq := range map[string]*AssociateRQ{"even ID": even, "same ID": twice, "syntaxes": syntaxes} {
		b, err := rq.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeAssociateRQ(b[HeaderLength:]); err == nil {
			t.Errorf("%s decoded", name)
		}
	}
}

func TestFixedPDUs(t *testing.T) {
	for _, c := range []struct {
		pdu  []byte
		typ  PDUType
		want string
	}{
		{Abort{SourceProvider, ReasonUnexpectedPDU}.Append(nil), TypeAbort, "\x07\x00\x00\x00\x00\x04\x00\x00\x02\x02"},
		{RejectLocalLimit.Append(nil), TypeAssociateRJ, "\x03\x00\x00\x00\x00\x04\x00\x02\x03\x02"},
		{ReleaseRQ{}.Append(nil), TypeReleaseRQ, "\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00"},
		{ReleaseRP{}.Append(nil), TypeReleaseRP, "\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00"},
	} {
		if string(c.pdu) != c.want {
			t.Errorf("%v: % x", c.typ, c.pdu)
		}
		if err := checkHeader(c.typ, 4, 1); err != nil {
			t.Error(err)
		}
		if err := checkHeader(c.typ, 5, 0); err == nil {
			t.Errorf("%v of 5 bytes passed", c.typ)
		}
	}
	a, err := DecodeAbort([]byte{0, 0, 2, 6})
	if err != nil || a != (Abort{SourceProvider, ReasonInvalidParameter}) {
		t.Error(a, err)
	}
	r, err := DecodeReject([]byte{0, 1, 1, 7})
	if err != nil || r != RejectCalledAETitle {
		t.Error(r, err)
	}
	for _, b := range [][]byte{nil, {1, 2, 3}, make([]byte, 5)} {
		_, e1 := DecodeAbort(b)
		_, e2 := DecodeReject(b)
		_, e3 := DecodeReleaseRQ(b)
		_, e4 := DecodeReleaseRP(b)
		if e1 == nil || e2 == nil || e3 == nil || e4 == nil {
			t.Errorf("%d bytes decoded", len(b))
		}
	}
}

func TestRejectText(t *testing.T) {
	for r, want := range map[Reject]string{
		RejectNoReason:           "rejected permanent, service-user: no reason given",
		RejectApplicationContext: "rejected permanent, service-user: application context name not supported",
		RejectCallingAETitle:     "rejected permanent, service-user: calling AE title not recognized",
		RejectCalledAETitle:      "rejected permanent, service-user: called AE title not recognized",
		RejectProtocolVersion:    "rejected permanent, service-provider (ACSE): protocol version not supported",
		RejectIdentity:           "rejected permanent, service-provider (ACSE): no reason given",
		RejectCongestion:         "rejected transient, service-provider (presentation): temporary congestion",
		RejectLocalLimit:         "rejected transient, service-provider (presentation): local limit exceeded",
		{9, 9, 9}:                "result 9, source 9: reason 9",
	} {
		if r.String() != want {
			t.Errorf("%q, want %q", r, want)
		}
	}
}

func TestCheckHeader(t *testing.T) {
	for _, c := range []struct {
		typ    PDUType
		length uint32
		max    uint32
		reason AbortReason
	}{
		{0, 4, 0, ReasonUnrecognizedPDU}, {8, 4, 0, ReasonUnrecognizedPDU}, {0x47, 4, 0, ReasonUnrecognizedPDU},
		{TypeAssociateRQ, MaxAssociatePDU + 1, 0, ReasonInvalidParameter}, {TypeAssociateRQ, MaxAssociatePDU, 0, 0},
		{TypePData, 1 << 31, 0, 0}, {TypePData, 101, 100, ReasonInvalidParameter}, {TypePData, 100, 100, 0},
	} {
		err := checkHeader(c.typ, c.length, c.max)
		var fe *FormatError
		if (err == nil) != (c.reason == 0) || errors.As(err, &fe) && fe.Reason != c.reason {
			t.Errorf("%v %d: %v", c.typ, c.length, err)
		}
	}
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]Protocol{
		"\x16\x03\x01\x02\x00\x01": ProtocolTLS, "\x15\x03\x03\x00\x02\x02": ProtocolTLS,
		"GET / ": ProtocolHTTP, "POST /": ProtocolHTTP, "HTTP/1": ProtocolHTTP, "PRI * ": ProtocolHTTP,
		"\x0bMSH|^": ProtocolMLLP, "SSH-2.": ProtocolSSH, "\x01\x00\x00\x00\x00\xd1": ProtocolDICOM,
		"\x00\x01\x02\x03\x04\x05": ProtocolUnknown, "": ProtocolUnknown, "G": ProtocolUnknown, "GETTER": ProtocolUnknown,
	} {
		if got := Sniff([]byte(in)); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestPData(t *testing.T) {
	b := AppendPData(nil, 1, true, true, []byte("command"))
	b = append(b[:HeaderLength:HeaderLength], append(b[HeaderLength:], AppendPData(nil, 3, false, false, []byte("da"))[HeaderLength:]...)...)
	var got []PDV
	var text string
	err := DecodePData(b[HeaderLength:], func(p PDV, f []byte) error { got = append(got, p); text += string(f) + ";"; return nil })
	want := []PDV{{1, true, true, 7}, {3, false, false, 2}}
	if err != nil || !reflect.DeepEqual(got, want) || text != "command;da;" {
		t.Error(got, text, err)
	}
	for _, bad := range []string{"", "\x00\x00\x00\x02\x01", "\x00\x00\x00\x01\x01\x03", "\x00\x00\x00\x03\x01\x03", "\xff\xff\xff\xff\x01\x03", "\x00\x00\x00\x02\x02\x03"} {
		if err := DecodePData([]byte(bad), func(PDV, []byte) error { return nil }); err == nil {
			t.Errorf("% x decoded", bad)
		}
	}
}

func FuzzAssociateRQ(f *testing.F) {
	b, _ := fullRQ().Append(nil)
	f.Add(b[HeaderLength:])
	f.Add(make([]byte, fixedLength))
	f.Fuzz(func(t *testing.T, b []byte) {
		rq, err := DecodeAssociateRQ(b)
		if err != nil {
			return
		}
		if len(rq.Contexts) > MaxContexts {
			t.Fatalf("%d contexts", len(rq.Contexts))
		}
		again(t, rq, DecodeAssociateRQ)
	})
}

func FuzzAssociateAC(f *testing.F) {
	b, _ := fullAC().Append(nil)
	f.Add(b[HeaderLength:])
	f.Fuzz(func(t *testing.T, b []byte) {
		ac, err := DecodeAssociateAC(b)
		if err != nil {
			return
		}
		again(t, ac, DecodeAssociateAC)
	})
}

// again checks that what was decoded encodes, and decodes to the same encoding.
func again[P interface{ Append([]byte) ([]byte, error) }](t *testing.T, p P, decode func([]byte) (P, error)) {
	one, err := p.Append(nil)
	if err != nil {
		t.Fatalf("does not encode: %v", err)
	}
	q, err := decode(one[HeaderLength:])
	if err != nil {
		t.Fatalf("does not decode again: %v", err)
	}
	two, err := q.Append(nil)
	if err != nil || !bytes.Equal(one, two) {
		t.Fatalf("encodings differ:\n% x\n% x\n%v", one, two, err)
	}
}

func FuzzPData(f *testing.F) {
	f.Add(AppendPData(nil, 1, true, true, []byte("x"))[HeaderLength:])
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		DecodePData(b, func(p PDV, frag []byte) error {
			if int(p.Length) != len(frag) {
				t.Fatal(p, len(frag))
			}
			total += len(frag) + pdvHeaderLength
			return nil
		})
		if total > len(b) {
			t.Fatalf("%d bytes out of %d", total, len(b))
		}
	})
}

func FuzzFixed(f *testing.F) {
	f.Add([]byte{0, 0, 2, 6})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := DecodeAbort(b); err == nil {
			_ = (&AbortedError{a}).Error()
		}
		if r, err := DecodeReject(b); err == nil {
			_ = (&RejectedError{r}).Error()
		}
	})
}
