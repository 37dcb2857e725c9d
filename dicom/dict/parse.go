package dict

import (
	"strconv"
	"strings"

	"gantry/dicom/tag"
)

// TagError says that a text names no data element.
type TagError struct{ Text string }

func (e *TagError) Error() string {
	return strconv.Quote(e.Text) + " is neither a keyword of PS3.6 nor a tag as (gggg,eeee) or ggggeeee"
}

// ParseTag reads a data element as people write it: a keyword ("PatientName"), or
// hexadecimal digits as "(0010,0010)", "0010,0010" or "00100010". Spaces around it are
// ignored. The error is a *TagError.
func ParseTag(text string) (tag.Tag, error) {
	s := strings.TrimSpace(text)
	if i, ok := keywordPosition(s); ok {
		return tag.Tag(tags[i]), nil
	}
	if inner, ok := strings.CutPrefix(s, "("); ok {
		if s, ok = strings.CutSuffix(inner, ")"); !ok {
			return 0, &TagError{text}
		}
	}
	if len(s) == 9 && s[4] == ',' {
		s = s[:4] + s[5:]
	}
	if len(s) != 8 || strings.ContainsAny(s, "+-_") {
		return 0, &TagError{text}
	}
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil {
		return 0, &TagError{text}
	}
	return tag.Tag(n), nil
}
