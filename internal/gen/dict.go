package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// edition is the edition of PS3.6 that elements.tsv holds.
const edition = "2026b"

// combos are the choices of VR that the standard prints, "" for none; their order is
// known to package dict.
var combos = []string{"", "OB or OW", "US or SS", "US or OW", "US or SS or OW"}

// dictFile writes the tables behind dict.Lookup and dict.Private.
func dictFile() ([]byte, error) {
	rows, err := elements()
	if err != nil {
		return nil, err
	}
	f := newFile("dict")
	f.printf("// Edition is the edition of the standard that the dictionary follows.\nconst Edition = %q\n\n", edition)
	vms := indexOf(rows, func(e element) string { return e.vm })
	if err := elementTable(f, rows, vms); err != nil {
		return nil, err
	}
	blob(f, "vm", "holds the value multiplicities.", vms)
	return f.source()
}

// indexOf returns the different values of a column, sorted.
func indexOf[T any](rows []T, column func(T) string) []string {
	var out []string
	for _, r := range rows {
		out = append(out, column(r))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func elementTable(f *file, rows []element, vms []string) error {
	var tags, vrs, facts []string
	var keywords, names []string
	var order []int
	for i, e := range rows {
		vr, combo, err := splitVR(e.vr)
		if err != nil {
			return fmt.Errorf("%s: %w", e.label(), err)
		}
		if maskOf(e) < 0 {
			return fmt.Errorf("%s: a mask of its own kind", e.label())
		}
		tags = append(tags, fmt.Sprintf("0x%08X", e.home))
		vrs = append(vrs, fmt.Sprintf("0x%04X", vr))
		fact := slices.Index(vms, e.vm) | combo<<8 | maskOf(e)<<11
		if e.retired {
			fact |= 1 << 15
		}
		facts = append(facts, fmt.Sprintf("0x%04X", fact))
		keywords = append(keywords, e.keyword)
		names = append(names, e.name)
		order = append(order, i)
	}
	sortBy(order, func(i int) string { return keywords[i] })
	array(f, "tags", "uint32", "holds the tags in order; a range has its first free one.", tags)
	array(f, "vrs", "uint16", "holds the first VR of each tag, 0 for none.", vrs)
	array(f, "facts", "uint16", "holds VM (8 bits), choice of VRs (3), mask (4), retired (1).", facts)
	array(f, "byKeyword", "uint16", "holds the positions of the tags in the order of their keywords.", order)
	blob(f, "keyword", "holds the keywords in the order of the tags.", keywords)
	blob(f, "name", "holds the names in the order of the tags.", names)
	masksArray(f)
	return nil
}

// masks are the ways in which tags of the standard vary; 0 is "not at all".
var masks = []uint32{0xFFFFFFFF, 0xFF00FFFF, 0xFFFFFF00, 0xFFFFFF0F, 0xFFFF000F, 0xFFFF0000}

func masksArray(f *file) {
	var out []string
	for _, m := range masks {
		out = append(out, fmt.Sprintf("0x%08X", m))
	}
	array(f, "masks", "uint32", "holds the masks of tags that vary, by the number in facts.", out)
}

func maskOf(e element) int { return slices.Index(masks, e.mask) }

// splitVR returns the code of the first VR and the number of the choice.
func splitVR(text string) (code, combo int, err error) {
	if text == "NONE" {
		return 0, 0, nil
	}
	if strings.Contains(text, " or ") {
		if combo = slices.Index(combos, text); combo < 0 {
			return 0, 0, fmt.Errorf("VR %q", text)
		}
		text = text[:2]
	}
	if len(text) != 2 {
		return 0, 0, fmt.Errorf("VR %q", text)
	}
	return int(text[0])<<8 | int(text[1]), combo, nil
}

// privateFile writes the tables behind dict.Private.
func privateFile() ([]byte, error) {
	rows, err := records("private.tsv", "creator tag vr vm name retired")
	if err != nil {
		return nil, err
	}
	f := newFile("dict")
	creators := indexOf(rows, func(r []string) string { return r[0] })
	vms := indexOf(rows, func(r []string) string { return r[3] })
	blob(f, "creator", "holds the private creators in order.", creators)
	blob(f, "privateVM", "holds the value multiplicities of private elements.", vms)
	if err := privateTable(f, rows, creators, vms); err != nil {
		return nil, err
	}
	return f.source()
}

// privateRow is one element of one creator: group, byte in the block, and facts.
type privateRow struct {
	creator int
	key     uint32
	vr      int
	fact    int
	name    string
}

func privateTable(f *file, rows [][]string, creators, vms []string) error {
	list := make([]privateRow, 0, len(rows))
	for _, r := range rows {
		p, err := parsePrivate(r, vms)
		if err != nil {
			return fmt.Errorf("private %q %s: %w", r[0], r[1], err)
		}
		p.creator, _ = slices.BinarySearch(creators, r[0])
		list = append(list, p)
	}
	sortBy(list, func(p privateRow) uint64 { return uint64(p.creator)<<32 | uint64(p.key) })
	var keys, vrs, facts, names []string
	starts := make([]int, len(creators)+1)
	for _, p := range list {
		keys = append(keys, fmt.Sprintf("0x%06X", p.key))
		vrs = append(vrs, fmt.Sprintf("0x%04X", p.vr))
		facts = append(facts, fmt.Sprintf("0x%04X", p.fact))
		names = append(names, p.name)
		starts[p.creator+1]++
	}
	for i := 1; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	array(f, "creatorFirst", "uint16", "holds where the elements of each creator begin.", starts)
	array(f, "privateKeys", "uint32", "holds group and last byte of the element number (24 bits), ordered for each creator.", keys)
	array(f, "privateVRs", "uint16", "holds the first VR in the order of privateKeys.", vrs)
	array(f, "privateFacts", "uint16", "holds VM and choice of VRs as facts does.", facts)
	blob(f, "privateName", "holds the names in the order of privateKeys.", names)
	return nil
}

// parsePrivate reads a row. A group that varies, 60xx, is kept as its last one, 60FF.
func parsePrivate(r, vms []string) (privateRow, error) {
	digits := strings.Replace(r[1], "xxxx", "ffxx", 1)
	if len(digits) != 8 || digits[4:6] != "xx" {
		return privateRow{}, fmt.Errorf("not a private tag")
	}
	key, err := strconv.ParseUint(digits[:4]+digits[6:], 16, 24)
	if err != nil {
		return privateRow{}, err
	}
	vr, combo, err := splitVR(r[2])
	if err != nil {
		return privateRow{}, err
	}
	fact := slices.Index(vms, r[3]) | combo<<8
	if r[5] == "Y" {
		fact |= 1 << 15
	}
	return privateRow{key: uint32(key), vr: vr, fact: fact, name: r[4]}, nil
}
