package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.TempDir(), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "hello Doe^Jane, 512 rows") || !strings.Contains(out.String(), "(0010,0010) PN Doe^Jane") {
		t.Error(out.String())
	}
}
