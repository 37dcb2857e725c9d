package verb

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/vr"
)

// writeJSON writes a data set by the DICOM JSON Model (PS3.18 annex F). Text is UTF-8 and
// Specific Character Set says so (F.2.2).
func writeJSON(w io.Writer, ds *dicom.DataSet) error {
	sep := "{"
	for e := range ds.All() {
		fmt.Fprintf(w, "%s\"%08X\":{\"vr\":\"%s\"", sep, uint32(e.Tag), e.VR)
		sep = ","
		if err := writeJSONValue(w, e); err != nil {
			return err
		}
		io.WriteString(w, "}")
	}
	if sep == "{" {
		io.WriteString(w, "{")
	}
	_, err := io.WriteString(w, "}")
	return err
}

func writeJSONValue(w io.Writer, e dicom.Element) error {
	switch {
	case e.IsSequence():
		for i := range e.ItemCount() {
			io.WriteString(w, [...]string{`,"Value":[`, ","}[min(i, 1)])
			if err := writeJSON(w, e.Item(i)); err != nil {
				return err
			}
		}
		if e.ItemCount() > 0 {
			io.WriteString(w, "]")
		}
		return nil
	case e.Empty():
		return nil
	case isBinary(e.VR):
		_, err := fmt.Fprintf(w, `,"InlineBinary":"%s"`, base64.StdEncoding.EncodeToString(e.Bytes()))
		return err
	}
	_, err := fmt.Fprintf(w, `,"Value":[%s]`, strings.Join(jsonValues(e), ","))
	return err
}

func isBinary(v vr.VR) bool {
	switch v {
	case vr.OB, vr.OD, vr.OF, vr.OL, vr.OV, vr.OW, vr.UN:
		return true
	}
	return false
}

func jsonValues(e dicom.Element) []string {
	values := modelValues(e)
	for i, v := range values {
		switch {
		case v == "":
			values[i] = "null"
		case e.VR == vr.PN:
			values[i] = jsonName(v)
		case isNumber(e.VR) && json.Valid([]byte(v)):
		default:
			values[i] = quoted(v)
		}
	}
	return values
}

func isNumber(v vr.VR) bool {
	switch v {
	case vr.DS, vr.IS, vr.FL, vr.FD, vr.SS, vr.US, vr.SL, vr.UL, vr.SV, vr.UV:
		return true
	}
	return false
}

// modelValues are the values of an element as text.
func modelValues(e dicom.Element) []string {
	if e.Tag == tag.SpecificCharacterSet {
		return []string{"ISO_IR 192"}
	}
	if e.VR.IsText() {
		return e.Texts()
	}
	var out []string
	for i := range e.Count() {
		if e.VR == vr.FL || e.VR == vr.FD {
			f, _ := e.FloatAt(i)
			out = append(out, strconv.FormatFloat(f, 'g', -1, 64))
			continue
		}
		n, _ := e.IntAt(i)
		if e.VR == vr.AT {
			out = append(out, fmt.Sprintf("%08X", uint32(n)))
			continue
		}
		out = append(out, strconv.FormatInt(n, 10))
	}
	return out
}

// nameGroups are the component groups of a person name (PS3.5 6.2.1).
var nameGroups = [...]string{"Alphabetic", "Ideographic", "Phonetic"}

func jsonName(v string) string {
	var b strings.Builder
	sep := "{"
	for i, g := range strings.SplitN(v, "=", len(nameGroups)) {
		if g != "" {
			fmt.Fprintf(&b, `%s"%s":%s`, sep, nameGroups[i], quoted(g))
			sep = ","
		}
	}
	if sep == "{" {
		return "{}"
	}
	return b.String() + "}"
}

const (
	xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n<results>\n"
	xmlTail = "</results>\n"
)

// writeXML writes a data set by the Native DICOM Model (PS3.19 A.1).
func writeXML(w io.Writer, ds *dicom.DataSet) error {
	io.WriteString(w, "<NativeDicomModel xml:space=\"preserve\">\n")
	writeXMLElements(w, ds, "  ")
	_, err := io.WriteString(w, "</NativeDicomModel>\n")
	return err
}

func writeXMLElements(w io.Writer, ds *dicom.DataSet, indent string) {
	for e := range ds.All() {
		name := ""
		if k := keyword(e.Tag); k != "?" && k != "" {
			name = ` keyword="` + k + `"`
		}
		fmt.Fprintf(w, "%s<DicomAttribute tag=\"%08X\" vr=\"%s\"%s", indent, uint32(e.Tag), e.VR, name)
		if e.Empty() && !e.IsSequence() || e.IsSequence() && e.ItemCount() == 0 {
			io.WriteString(w, "/>\n")
			continue
		}
		io.WriteString(w, ">")
		writeXMLValue(w, e, indent)
		io.WriteString(w, "</DicomAttribute>\n")
	}
}

func writeXMLValue(w io.Writer, e dicom.Element, indent string) {
	switch {
	case e.IsSequence():
		io.WriteString(w, "\n")
		for i := range e.ItemCount() {
			fmt.Fprintf(w, "%s  <Item number=\"%d\">\n", indent, i+1)
			writeXMLElements(w, e.Item(i), indent+"    ")
			fmt.Fprintf(w, "%s  </Item>\n", indent)
		}
		io.WriteString(w, indent)
	case isBinary(e.VR):
		fmt.Fprintf(w, "<InlineBinary>%s</InlineBinary>", base64.StdEncoding.EncodeToString(e.Bytes()))
	case e.VR == vr.PN:
		for i, v := range e.Texts() {
			writeXMLName(w, i+1, v)
		}
	default:
		for i, v := range modelValues(e) {
			fmt.Fprintf(w, "<Value number=\"%d\">", i+1)
			xml.EscapeText(w, []byte(v))
			io.WriteString(w, "</Value>")
		}
	}
}

// nameParts are the components of each group.
var nameParts = [...]string{"FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"}

func writeXMLName(w io.Writer, n int, v string) {
	fmt.Fprintf(w, "<PersonName number=\"%d\">", n)
	for i, g := range strings.SplitN(v, "=", len(nameGroups)) {
		if g == "" {
			continue
		}
		fmt.Fprintf(w, "<%s>", nameGroups[i])
		for j, c := range strings.SplitN(g, "^", len(nameParts)) {
			if c == "" {
				continue
			}
			fmt.Fprintf(w, "<%s>", nameParts[j])
			xml.EscapeText(w, []byte(c))
			fmt.Fprintf(w, "</%s>", nameParts[j])
		}
		fmt.Fprintf(w, "</%s>", nameGroups[i])
	}
	io.WriteString(w, "</PersonName>")
}
