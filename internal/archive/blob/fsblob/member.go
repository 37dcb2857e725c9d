package fsblob

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"gantry/internal/archive/record"
)

// A record is a TAR member: a pax header ('x') with the keywords GANTRY.sum and
// GANTRY.env, an ustar header, the body, zeros up to the block. A record without a body
// is a global pax header ('g') alone, which tar does not restore as a file.
const (
	block      = 512
	sumKey     = "GANTRY.sum"
	envKey     = "GANTRY.env"
	maxPax     = record.MaxEnvelope + 4096
	paxName    = "PaxHeaders/gantry"
	maxTarSize = 1<<33 - 1 // eleven octal digits
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errBadMember = errors.New("damaged record")

func align(n int64) int64 { return (n + block - 1) &^ (block - 1) }

// appendMember appends all of a record that comes before its body. The member is named
// name in the archive; without a name it has no body.
func appendMember(dst []byte, env []byte, name string, s record.Sums, at time.Time) []byte {
	sum := appendSums(make([]byte, 0, 64), env, s)
	var pax []byte
	pax = appendPax(pax, sumKey, sum)
	pax = appendPax(pax, envKey, env)
	flag := byte('x')
	if name == "" {
		flag = 'g'
	}
	dst = appendHeader(dst, flag, paxName, int64(len(pax)), at)
	dst = append(dst, pax...)
	dst = append(dst, make([]byte, align(int64(len(pax)))-int64(len(pax)))...)
	if name != "" {
		dst = appendHeader(dst, '0', name, s.Size(), at)
	}
	return dst
}

// appendSums writes "1 <crc of env> <head> <crc of head> <data> <crc of data>".
func appendSums(dst, env []byte, s record.Sums) []byte {
	return fmt.Appendf(dst, "1 %08x %d %08x %d %08x", crc32.Checksum(env, castagnoli), s.Head, s.HeadCRC, s.Data, s.DataCRC)
}

func parseSums(text string) (env uint32, s record.Sums, err error) {
	f := strings.Split(text, " ")
	if len(f) != 6 || f[0] != "1" {
		return 0, s, fmt.Errorf("%w: sums %.60q", errBadMember, text)
	}
	var crc [3]uint32
	for i, at := range [3]int{1, 3, 5} {
		v, e := strconv.ParseUint(f[at], 16, 32)
		err, crc[i] = errors.Join(err, e), uint32(v)
	}
	head, e1 := strconv.ParseUint(f[2], 10, 31)
	data, e2 := strconv.ParseUint(f[4], 10, 62)
	if err = errors.Join(err, e1, e2); err != nil {
		return 0, s, fmt.Errorf("%w: sums %.60q", errBadMember, text)
	}
	return crc[0], record.Sums{Head: int64(head), HeadCRC: crc[1], Data: int64(data), DataCRC: crc[2]}, nil
}

// appendPax appends "<length> key=value\n", the length counting itself.
func appendPax(dst []byte, key string, value []byte) []byte {
	rest := len(key) + len(value) + 3
	n := rest + len(strconv.Itoa(rest))
	if len(strconv.Itoa(n)) > len(strconv.Itoa(rest)) {
		n++
	}
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, ' ')
	dst = append(dst, key...)
	dst = append(dst, '=')
	dst = append(dst, value...)
	return append(dst, '\n')
}

// parsePax returns the values of our two keywords.
func parsePax(b []byte) (sum string, env []byte, err error) {
	for len(b) > 0 {
		sp := bytes.IndexByte(b[:min(len(b), 12)], ' ')
		if sp <= 0 {
			return "", nil, fmt.Errorf("%w: pax header", errBadMember)
		}
		n, err := strconv.ParseUint(string(b[:sp]), 10, 31)
		if err != nil || int(n) > len(b) || int(n) < sp+3 || b[n-1] != '\n' {
			return "", nil, fmt.Errorf("%w: pax header", errBadMember)
		}
		key, value, _ := bytes.Cut(b[sp+1:n-1], []byte("="))
		switch string(key) {
		case sumKey:
			sum = string(value)
		case envKey:
			env = value
		}
		b = b[n:]
	}
	if sum == "" || env == nil {
		return "", nil, fmt.Errorf("%w: no %s or %s", errBadMember, sumKey, envKey)
	}
	return sum, env, nil
}

// appendHeader appends an ustar header. Names longer than 100 bytes are split at a slash.
func appendHeader(dst []byte, flag byte, name string, size int64, at time.Time) []byte {
	var h [block]byte
	prefix := ""
	if len(name) > 100 {
		if i := strings.IndexByte(name[len(name)-101:], '/'); i >= 0 {
			i += len(name) - 101
			prefix, name = name[:i], name[i+1:]
		}
	}
	copy(h[0:100], name)
	copy(h[100:], "0000644\x000000000\x000000000\x00")
	octal(h[124:136], size)
	octal(h[136:148], max(0, at.Unix()))
	copy(h[148:156], "        ")
	h[156] = flag
	copy(h[257:], "ustar\x0000")
	copy(h[345:500], prefix)
	octal(h[148:155], headerSum(h[:]))
	return append(dst, h[:]...)
}

func octal(dst []byte, v int64) {
	for i := len(dst) - 2; i >= 0; i-- {
		dst[i] = '0' + byte(v&7)
		v >>= 3
	}
	dst[len(dst)-1] = 0
}

// headerSum adds the bytes of a header, its sum field taken as spaces.
func headerSum(h []byte) int64 {
	var sum int64
	for i, c := range h {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int64(c)
	}
	return sum
}

// parseHeader returns the type and the size of an ustar header.
func parseHeader(h []byte) (flag byte, size int64, err error) {
	want, err1 := parseOctal(h[148:156])
	size, err2 := parseOctal(h[124:136])
	if err1 != nil || err2 != nil || want != headerSum(h) || string(h[257:262]) != "ustar" {
		return 0, 0, fmt.Errorf("%w: header", errBadMember)
	}
	return h[156], size, nil
}

func parseOctal(b []byte) (int64, error) {
	v, err := strconv.ParseUint(string(bytes.Trim(b, " \x00")), 8, 62)
	if err != nil {
		return 0, fmt.Errorf("%w: number in header", errBadMember)
	}
	return int64(v), nil
}

func isZero(b []byte) bool {
	for len(b) >= 8 {
		if binary.NativeEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
