package fsblob

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"

	"gantry/internal/archive/record"
)

// Naming is how objects are named, in the TAR segments and as files.
type Naming string

// The namings of plain files; Pack puts objects of up to PackMax bytes into the segments
// and names larger ones hierarchically.
const (
	Pack             Naming = ""
	Hierarchical     Naming = "hierarchical"      // study/series/instance.dcm
	DateHierarchical Naming = "date_hierarchical" // yyyy/mm/dd/study/instance.dcm
	Flat             Naming = "flat"              // instance.dcm
)

func (n Naming) valid() bool {
	return n == Pack || n == Hierarchical || n == DateHierarchical || n == Flat
}

// name returns the relative path of an object. A name is made of digits, dots, hash digits and the
// archive's own record id; nothing else that a peer sent ever gets into it.
func (n Naming) name(e *record.Envelope, unique bool) string {
	file := component(string(e.Instance))
	if unique || e.Number > 1 {
		file += "-" + safeID(e.ID)
	}
	file += ".dcm"
	switch n {
	case DateHierarchical:
		return path.Join(dateOf(e), component(string(e.Study)), file)
	case Flat:
		return file
	}
	return path.Join(component(string(e.Study)), component(string(e.Series)), file)
}

// component returns s when it is 1 to 64 digits and dots, a digit first and last, else
// 32 hash digits behind an x.
func component(s string) string {
	if len(s) > 0 && len(s) <= 64 && strings.Trim(s, "0123456789.") == "" && s[0] != '.' && s[len(s)-1] != '.' {
		return s
	}
	return hashed(s)
}

func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "x" + hex.EncodeToString(sum[:16])
}

func safeID(id record.ID) string {
	if len(id) == 24 && strings.Trim(string(id), "0123456789abcdef") == "" {
		return string(id)
	}
	return hashed(string(id))
}

// dateOf returns the folder of the Study Date, else of the date received.
func dateOf(e *record.Envelope) string {
	d := e.StudyDate
	if len(d) == 8 && strings.Trim(d, "0123456789") == "" {
		return d[:4] + "/" + d[4:6] + "/" + d[6:]
	}
	y, m, day := e.Received.UTC().Date()
	return fmt.Sprintf("%04d/%02d/%02d", min(max(y, 0), 9999), m, day)
}
