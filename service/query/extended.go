package query

import "gantry/dimse"

// Extended is the service class application information of the C-FIND classes (PS3.4
// C.5.1.1): a byte for each option, 1 when it is proposed or accepted. The zero value
// proposes nothing.
type Extended struct {
	Relational bool // keys of the levels above may be missing
	DateTime   bool // a date and its time match as one
	Fuzzy      bool // person names match by meaning
	Timezone   bool // times are adjusted by Timezone Offset From UTC
	Enhanced   bool // the view with enhanced multi-frame images
	Empty      bool // a key of two quotation marks matches what has no value
	Multiple   bool // keys may have several values, of which one must match
}

// fields returns the options in the order of their bytes.
func (e *Extended) fields() [7]*bool {
	return [...]*bool{&e.Relational, &e.DateTime, &e.Fuzzy, &e.Timezone, &e.Enhanced, &e.Empty, &e.Multiple}
}

// ParseExtended reads the information of a proposal or an answer. Bytes that are missing
// are 0; those behind the last known one, and values other than 1, mean nothing.
func ParseExtended(info []byte) Extended {
	var e Extended
	for i, f := range e.fields() {
		*f = i < len(info) && info[i] == 1
	}
	return e
}

// Bytes returns the information, as short as it can be; nil when nothing is proposed.
func (e Extended) Bytes() []byte {
	var out []byte
	for i, f := range e.fields() {
		if *f {
			out = append(out, make([]byte, i+1-len(out))...)
			out[i] = 1
		}
	}
	return out
}

// and returns what both have.
func (e Extended) and(o Extended) Extended {
	fields, others := e.fields(), o.fields()
	for i := range fields {
		*fields[i] = *fields[i] && *others[i]
	}
	return e
}

// negotiated takes over the service class application information.
func (q *Query) negotiated(op dimse.Op, info []byte) {
	if op != dimse.CFind {
		bit := func(i int) bool { return i < len(info) && info[i] == 1 }
		q.Relational, q.Enhanced = bit(0), bit(1)
		return
	}
	q.Extended = ParseExtended(info)
}

// NegotiateFind answers extended negotiation of the C-FIND classes (PS3.4 C.5.1.1.2): as
// many bytes as were proposed, of those known, each 1 when both sides have the option.
func (o *Options) NegotiateFind(info []byte) []byte {
	have := Extended{o.Relational, o.DateTime, o.Fuzzy, o.Timezone, o.Enhanced, o.Empty, o.Multiple}
	out := have.and(ParseExtended(info)).Bytes()
	n := min(len(info), len(new(Extended).fields()))
	return append(out, make([]byte, n-len(out))...)
}

// NegotiateRetrieve answers extended negotiation of the C-MOVE and C-GET classes (PS3.4
// C.5.2.1, C.5.3.1).
func (o *Options) NegotiateRetrieve(info []byte) []byte {
	out := make([]byte, min(len(info), 2))
	for i, have := range [...]bool{o.Relational, o.Enhanced} {
		if i < len(out) && have && info[i] == 1 {
			out[i] = 1
		}
	}
	return out
}
