package verb

import (
	"strings"

	"gantry/dicom/uid"
	"gantry/dimse"
	"gantry/service/query"
	"gantry/ul"
)

// propose puts the options into the association's request.
func (o *Find) propose(class uid.UID) error {
	switch o.Urgency {
	case "", "high", "medium", "low":
	default:
		return Fail(Usage, "priority %q: want high, medium or low", o.Urgency)
	}
	if info := o.Options.Bytes(); info != nil {
		o.Extended = []ul.ExtendedNegotiation{{Class: class, Info: info}}
	}
	return nil
}

func (o *Find) priority() dimse.Priority {
	switch o.Urgency {
	case "high":
		return dimse.PriorityHigh
	case "low":
		return dimse.PriorityLow
	}
	return dimse.PriorityMedium
}

// optionsOf says which of the options the peer has not accepted: the answers are then
// those of a query without them.
func (o *Find) optionsOf(s *Stdio, a *dimse.Assoc, class uid.UID) {
	got := query.ParseExtended(a.Peer().Extended(class))
	var missing []string
	for _, option := range []struct {
		name      string
		want, got bool
	}{
		{"fuzzy matching of names", o.Options.Fuzzy, got.Fuzzy}, {"combined dates and times", o.Options.DateTime, got.DateTime},
		{"time zones", o.Options.Timezone, got.Timezone}, {"empty values", o.Options.Empty, got.Empty},
		{"multiple values", o.Options.Multiple, got.Multiple}, {"relational queries", o.Options.Relational, got.Relational},
	} {
		if option.want && !option.got {
			missing = append(missing, option.name)
		}
	}
	if len(missing) > 0 {
		o.says(s, Normal, "the peer does not do: %s", strings.Join(missing, ", "))
	}
}
