package dimse

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"gantry/dicom/tag"
	"gantry/dicom/uid"
)

var commands = []Command{
	{Op: CEcho, MessageID: 1, AffectedClass: uid.Verification},
	{Op: CEcho, Response: true, RespondedTo: 1, AffectedClass: uid.Verification},
	{Op: CStore, MessageID: 65535, HasData: true, Priority: PriorityLow, AffectedClass: uid.CTImageStorage, AffectedInstance: "1.2.3",
		MoveOriginator: "ORIGIN", MoveOriginatorID: 77},
	{Op: CStore, Response: true, RespondedTo: 9, Status: 0xC123, AffectedClass: uid.CTImageStorage, AffectedInstance: "1.2.3.4",
		Offending: []tag.Tag{tag.PatientID, tag.StudyInstanceUID}, Comment: "no good", ErrorID: 5},
	{Op: CFind, MessageID: 2, HasData: true, Priority: PriorityHigh, AffectedClass: uid.StudyRootQueryRetrieveInformationModelFind},
	{Op: CMove, MessageID: 3, HasData: true, AffectedClass: uid.StudyRootQueryRetrieveInformationModelMove, MoveDestination: "DEST"},
	{Op: CMove, Response: true, RespondedTo: 3, Status: PendingMatch, HasSubOps: true, SubOps: SubOperations{5, 4, 3, 2}},
	{Op: CGet, Response: true, RespondedTo: 3, Status: SubOperationsFailed, HasSubOps: true, HasData: true, SubOps: SubOperations{0, 4, 3, 2}},
	{Op: CCancel, RespondedTo: 3},
	{Op: NEventReport, MessageID: 4, AffectedClass: "1.2", AffectedInstance: "1.3", EventType: 2, HasData: true},
	{Op: NGet, MessageID: 4, RequestedClass: "1.2", RequestedInstance: "1.3", Attributes: []tag.Tag{tag.PatientName}},
	{Op: NSet, MessageID: 4, RequestedClass: "1.2", RequestedInstance: "1.3", HasData: true},
	{Op: NAction, MessageID: 4, RequestedClass: "1.2", RequestedInstance: "1.3", ActionType: 1},
	{Op: NCreate, MessageID: 4, AffectedClass: "1.2", HasData: true},
	{Op: NDelete, Response: true, RespondedTo: 4, Status: NoSuchSOPInstance, AffectedClass: "1.2", AffectedInstance: "1.3"},
}

func TestCommandRoundTrip(t *testing.T) {
	for _, c := range commands {
		b := c.Append(nil)
		if len(b)%2 != 0 {
			t.Errorf("%v: odd length", c.Op)
		}
		got, err := DecodeCommand(b)
		if err != nil || !reflect.DeepEqual(*got, c) {
			t.Errorf("%v:\ngot  %+v\nwant %+v\n%v", c.Op, *got, c, err)
		}
	}
}

// TestCommandBytes pins an encoding and the ascending order of all of them.
func TestCommandBytes(t *testing.T) {
	c := commands[1]
	want := "\x00\x00\x00\x00\x04\x00\x00\x00\x42\x00\x00\x00" +
		"\x00\x00\x02\x00\x12\x00\x00\x001.2.840.10008.1.1\x00" +
		"\x00\x00\x00\x01\x02\x00\x00\x00\x30\x80" +
		"\x00\x00\x20\x01\x02\x00\x00\x00\x01\x00" +
		"\x00\x00\x00\x08\x02\x00\x00\x00\x01\x01" +
		"\x00\x00\x00\x09\x02\x00\x00\x00\x00\x00"
	if got := c.Append(nil); string(got) != want {
		t.Errorf("got\n% x\nwant\n% x", got, want)
	}
	for _, c := range commands {
		b, last := c.Append(nil), -1
		for len(b) > 0 {
			el := int(b[2]) | int(b[3])<<8
			if el <= last {
				t.Errorf("%v: element %04X after %04X", c.Op, el, last)
			}
			last = el
			b = b[8+int(b[4]):]
		}
	}
}

func TestRemainingOnlyWhilePending(t *testing.T) {
	c := Command{Op: CMove, Response: true, HasSubOps: true, SubOps: SubOperations{Remaining: 3, Completed: 1}}
	for s, want := range map[Status]uint16{PendingMatch: 3, Canceled: 3, Success: 0, SubOperationsFailed: 0, OutOfResources: 0} {
		c.Status = s
		got, err := DecodeCommand(c.Append(nil))
		if err != nil || got.SubOps.Remaining != want || got.SubOps.Completed != 1 {
			t.Errorf("%v: %+v %v", s, got.SubOps, err)
		}
	}
}

func TestCommandMalformed(t *testing.T) {
	good := commands[2].Append(nil)
	for n := range good {
		if _, err := DecodeCommand(good[:n]); err != nil {
			var ce *CommandError
			if !errors.As(err, &ce) {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct{ b, err string }{
		"empty":        {"", "no Command Field"},
		"group":        {"\x08\x00\x00\x01\x02\x00\x00\x00\x30\x00", "not of group 0000"},
		"length":       {"\x00\x00\x00\x01\xff\xff\xff\xff\x30\x00", "but 2 are left"},
		"short field":  {"\x00\x00\x00\x01\x01\x00\x00\x00\x30", "of 1 bytes"},
		"no id":        {"\x00\x00\x00\x01\x02\x00\x00\x00\x30\x00", "Message ID (0000,0110)"},
		"no responded": {"\x00\x00\x00\x01\x02\x00\x00\x00\x30\x80", "Being Responded To"},
		"no status":    {"\x00\x00\x00\x01\x02\x00\x00\x00\x30\x80\x00\x00\x20\x01\x02\x00\x00\x00\x01\x00", "without Status"},
		"huge":         {strings.Repeat("\x00", MaxCommand+8), "more than"},
	} {
		if _, err := DecodeCommand([]byte(c.b)); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unknown := append(commands[0].Append(nil), "\x00\x00\x34\x12\x02\x00\x00\x00hi"...)
	if got, err := DecodeCommand(unknown); err != nil || !reflect.DeepEqual(*got, commands[0]) {
		t.Errorf("unknown element: %+v %v", got, err)
	}
}

func TestComment(t *testing.T) {
	for in, want := range map[string]string{"plain": "plain", "Müller\\x\n": "M?ller?x?", strings.Repeat("a", 70): strings.Repeat("a", 64)} {
		if got := comment(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestStatusClass(t *testing.T) {
	for s, want := range map[Status]StatusClass{
		0: ClassSuccess, 1: Warning, 0x107: Warning, 0x116: Warning, 0xB000: Warning, 0xBFFF: Warning,
		0xFE00: Cancel, 0xFF00: Pending, 0xFF01: Pending, 0x110: Failure, 0xA700: Failure, 0xC000: Failure, 0xFF02: Failure, 2: Failure,
	} {
		if s.Class() != want {
			t.Errorf("%v: %v, want %v", s, s.Class(), want)
		}
	}
	for s, want := range map[Status]string{
		0xA700: "A700H (Refused: Out of resources)", 0xC123: "C123H (Cannot understand)", 0x122: "0122H (Refused: SOP Class not supported)",
		0xA801: "A801H (Refused: Move Destination unknown)", 0xB123: "B123H (Warning)", 0x9999: "9999H (Failure)",
	} {
		if s.String() != want {
			t.Errorf("%v, want %v", s, want)
		}
	}
}

func TestAETitle(t *testing.T) {
	for a, ok := range map[AETitle]bool{"GANTRY": true, "A B": true, "": false, "   ": false, "SEVENTEEN CHARS..": false, "A\\B": false, "Ä": false, "A\n": false} {
		if (a.Check() == nil) != ok {
			t.Errorf("%q: %v", a, a.Check())
		}
	}
}

func FuzzCommand(f *testing.F) {
	for _, c := range commands {
		f.Add(c.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCommand(b)
		if err != nil {
			return
		}
		if !c.Op.Known() {
			return
		}
		if _, err := DecodeCommand(c.Append(nil)); err != nil && len(b) < MaxCommand/2 {
			t.Fatalf("%+v: %v", c, err)
		}
	})
}

// BenchmarkCommand encodes and decodes what one C-ECHO needs; it must not allocate.
func BenchmarkCommand(b *testing.B) {
	rq := commands[0].Append(nil)
	var buf [256]byte
	b.ReportAllocs()
	for b.Loop() {
		var c Command
		if err := c.decode(rq, uid.Verification); err != nil {
			b.Fatal(err)
		}
		rsp := Command{Op: c.Op, Response: true, RespondedTo: c.MessageID, AffectedClass: c.AffectedClass}
		if len(rsp.Append(buf[:0])) == 0 {
			b.Fatal("empty")
		}
	}
}

func TestEchoCodecDoesNotAllocate(t *testing.T) {
	rq := commands[0].Append(nil)
	var buf [256]byte
	n := testing.AllocsPerRun(100, func() {
		var c Command
		if err := c.decode(rq, uid.Verification); err != nil {
			t.Fatal(err)
		}
		rsp := Command{Op: c.Op, Response: true, RespondedTo: c.MessageID, AffectedClass: c.AffectedClass}
		rsp.Append(buf[:0])
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
