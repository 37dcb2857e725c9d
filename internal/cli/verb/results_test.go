package verb

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestRows(t *testing.T) {
	for format, want := range map[string]string{
		"table": "Study UID  Series #\n1.2        =1\n",
		"csv":   "Study UID,Series #\n1.2,'=1\n",
		"json":  "[{\"studyUid\": \"1.2\", \"series\": \"=1\"}]\n",
	} {
		var b bytes.Buffer
		r := newRows(&b, format, "Study UID", "Series #")
		r.add("1.2", "=1")
		if err := r.end(); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v", format, b.String(), err)
		}
	}
	var b bytes.Buffer
	if err := newRows(&b, "json", "ID").end(); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("empty: %q, %v", b.String(), err)
	}
}
