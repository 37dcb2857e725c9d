package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"

	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// AppendNumber appends a binary number in decimal, or a tag as eight hexadecimal digits.
// quote tells that JSON has no such number: not a number, infinite, or an integer that a
// double cannot hold.
func AppendNumber(dst []byte, v vr.VR, b []byte, order binary.ByteOrder) (out []byte, quote bool) {
	switch v {
	case vr.AT:
		return AppendTag(dst, tag.New(order.Uint16(b), order.Uint16(b[2:]))), true
	case vr.SS:
		return strconv.AppendInt(dst, int64(int16(order.Uint16(b))), 10), false
	case vr.US:
		return strconv.AppendUint(dst, uint64(order.Uint16(b)), 10), false
	case vr.SL:
		return strconv.AppendInt(dst, int64(int32(order.Uint32(b))), 10), false
	case vr.UL:
		return strconv.AppendUint(dst, uint64(order.Uint32(b)), 10), false
	case vr.SV:
		n := int64(order.Uint64(b))
		return strconv.AppendInt(dst, n, 10), n > exact || n < -exact
	case vr.UV:
		n := order.Uint64(b)
		return strconv.AppendUint(dst, n, 10), n > exact
	case vr.FL:
		return appendFloat(dst, float64(math.Float32frombits(order.Uint32(b))), 32)
	case vr.FD:
		return appendFloat(dst, math.Float64frombits(order.Uint64(b)), 64)
	}
	return dst, true
}

const exact = 1<<53 - 1 // the largest integer that a double and all before it hold

func appendFloat(dst []byte, f float64, bits int) ([]byte, bool) {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...), true
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...), true
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...), true
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits), false
}

const upperHex = "0123456789ABCDEF"

// AppendTag appends a tag as eight hexadecimal digits.
func AppendTag(dst []byte, t tag.Tag) []byte {
	for shift := 28; shift >= 0; shift -= 4 {
		dst = append(dst, upperHex[t>>shift&15])
	}
	return dst
}

// ParseTag reads eight hexadecimal digits.
func ParseTag(s string) (tag.Tag, error) {
	n, err := strconv.ParseUint(s, 16, 32)
	if err != nil || len(s) != 8 {
		return 0, fmt.Errorf("%.40q: a tag has eight hexadecimal digits", s)
	}
	return tag.Tag(n), nil
}

// appendParsed appends a number in little endian.
func appendParsed(dst []byte, v vr.VR, s string) ([]byte, error) {
	s = strings.TrimSpace(s)
	le := binary.LittleEndian
	switch v {
	case vr.AT:
		t, err := ParseTag(s)
		return le.AppendUint16(le.AppendUint16(dst, t.Group()), t.Element()), err
	case vr.FL, vr.FD:
		f, err := strconv.ParseFloat(s, v.Width()*8)
		if err != nil {
			return dst, noNumber(s, v)
		}
		if v == vr.FL {
			return le.AppendUint32(dst, math.Float32bits(float32(f))), nil
		}
		return le.AppendUint64(dst, math.Float64bits(f)), nil
	}
	n, err := parseInteger(v, s)
	if err != nil {
		return dst, err
	}
	return append(dst, le.AppendUint64(nil, n)[:v.Width()]...), nil
}

// parseInteger reads an integer, which a JSON writer may have given a fraction of zero.
func parseInteger(v vr.VR, s string) (uint64, error) {
	bits := v.Width() * 8
	if f, err := strconv.ParseFloat(s, 64); strings.ContainsAny(s, ".eE") && err == nil && f == math.Trunc(f) && math.Abs(f) <= exact {
		s = strconv.FormatInt(int64(f), 10)
	}
	if v == vr.SS || v == vr.SL || v == vr.SV {
		n, err := strconv.ParseInt(s, 10, bits)
		if err != nil {
			return 0, noNumber(s, v)
		}
		return uint64(n), nil
	}
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return 0, noNumber(s, v)
	}
	return n, nil
}

func noNumber(s string, v vr.VR) error { return fmt.Errorf("%.40q is no value of VR %v", s, v) }
