package main

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed data/*.tsv
var inputs embed.FS

// records returns the lines of an input file after its header, split at tabs.
func records(name, header string) ([][]string, error) {
	text, err := inputs.ReadFile("data/" + name)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if got := strings.ReplaceAll(lines[0], "\t", " "); got != header {
		return nil, fmt.Errorf("%s: columns are %q, want %q", name, got, header)
	}
	var out [][]string
	for i, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != len(strings.Fields(header)) {
			return nil, fmt.Errorf("%s:%d: %d columns", name, i+2, len(fields))
		}
		out = append(out, fields)
	}
	return out, nil
}

// element is a row of elements.tsv.
type element struct {
	value, mask uint32 // a tag t is meant when t&mask == value
	home        uint32 // the first such tag that no other row names
	keyword     string
	name        string
	vr, vm      string
	retired     bool
}

// label prints the tag as the standard does, with x for the digits that vary.
func (e element) label() string {
	var b strings.Builder
	for i := 28; i >= 0; i -= 4 {
		switch {
		case e.mask>>i&0xF == 0:
			b.WriteByte('x')
		default:
			fmt.Fprintf(&b, "%X", e.value>>i&0xF)
		}
	}
	return "(" + b.String()[:4] + "," + b.String()[4:] + ")"
}

// elements reads elements.tsv, ordered by home tag.
func elements() ([]element, error) {
	rows, err := records("elements.tsv", "tag keyword name vr vm retired")
	if err != nil {
		return nil, err
	}
	var out []element
	taken := make(map[uint32]bool)
	for _, row := range rows {
		e, err := parseElement(row)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row[0], err)
		}
		out = append(out, e)
		if e.mask == exact {
			taken[e.value] = true
		}
	}
	for i := range out {
		settle(&out[i], taken)
	}
	sortBy(out, func(e element) uint32 { return e.home })
	return out, nil
}

const exact = 0xFFFFFFFF

// settle gives e its home. A mask whose first tag is another element's takes the next:
// (0028,04x0) begins at (0028,0410), for (0028,0400) is Transform Label.
func settle(e *element, taken map[uint32]bool) {
	e.home = e.value
	if e.mask == exact {
		return
	}
	low := ^e.mask & -^e.mask // the lowest bit that varies
	for taken[e.home] {
		e.home += low
	}
	taken[e.home] = true
}

func parseElement(row []string) (element, error) {
	digits := strings.Trim(strings.Replace(row[0], ",", "", 1), "()")
	if len(digits) != 8 {
		return element{}, fmt.Errorf("not a tag")
	}
	value, err := strconv.ParseUint(strings.ReplaceAll(digits, "x", "0"), 16, 32)
	if err != nil {
		return element{}, err
	}
	mask := uint32(0)
	for _, c := range digits {
		mask <<= 4
		if c != 'x' {
			mask |= 0xF
		}
	}
	return element{value: uint32(value), mask: mask, keyword: row[1], name: row[2],
		vr: row[3], vm: row[4], retired: row[5] == "Y"}, nil
}

// uidRow is a row of uids.tsv.
type uidRow struct {
	uid, keyword, name, kind string
	retired                  bool
}

// uids reads uids.tsv, ordered by the text of the UID.
func uids() ([]uidRow, error) {
	rows, err := records("uids.tsv", "uid keyword name kind retired")
	if err != nil {
		return nil, err
	}
	var out []uidRow
	for _, row := range rows {
		out = append(out, uidRow{row[0], row[1], row[2], row[3], row[4] == "Y"})
	}
	sortBy(out, func(u uidRow) string { return u.uid })
	return out, nil
}
