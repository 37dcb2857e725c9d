package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"gantry/dicom"
	"gantry/dicom/dict"
	"gantry/dicom/tag"
	"gantry/dimse"
)

type findOptions struct {
	peer   peerOptions
	query  queryOptions
	format string
	most   int
}

func newFind(stdio *Stdio) *cobra.Command {
	var o findOptions
	c := command("find PEER", "Query a peer (C-FIND)", &cobra.Command{
		Long: "Query a peer (C-FIND). Without keys, those that people ask for at the level are returned.\n\n" + peerHelp + "\n\n" + keyHelp,
		Example: `  gantry find localhost:11112 -k PatientName='DOE*'
  gantry find PACS@10.0.0.9:104 -L SERIES -k StudyInstanceUID=1.2.3 -k Modality -k SeriesDescription
  gantry find localhost -k StudyDate=20260101- --format csv > studies.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.peer.parse(args[0]); err != nil {
				return err
			}
			return find(c.Context(), stdio, o)
		},
	})
	o.peer.flags(c)
	o.query.flags(c)
	c.Flags().StringVar(&o.format, "format", "text", "text or csv")
	c.Flags().IntVar(&o.most, "max-results", 0, "stop after so many answers; 0 is never")
	return c
}

// asked are the keys of a level that are returned unless the user names keys.
func asked(level string) []tag.Tag {
	switch strings.ToUpper(level) {
	case "PATIENT":
		return []tag.Tag{tag.PatientName, tag.PatientID, tag.PatientBirthDate, tag.PatientSex}
	case "STUDY":
		return []tag.Tag{tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.ModalitiesInStudy, tag.StudyDescription,
			tag.PatientName, tag.PatientID, tag.StudyInstanceUID, tag.NumberOfStudyRelatedInstances}
	case "SERIES":
		return []tag.Tag{tag.Modality, tag.SeriesDescription, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SeriesNumber, tag.NumberOfSeriesRelatedInstances}
	}
	return []tag.Tag{tag.SOPClassUID, tag.SOPInstanceUID, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.InstanceNumber}
}

func find(ctx context.Context, stdio *Stdio, o findOptions) error {
	class, err := o.query.class(1)
	if err != nil {
		return err
	}
	write := writeText
	switch o.format {
	case "text":
	case "csv":
		write = writeCSV
	default:
		return fail(ExitUsage, "--format %q: want text or csv", o.format)
	}
	identifier, err := o.query.identifier(asked(o.query.level)...)
	if err != nil {
		return err
	}
	a, err := o.peer.dial(ctx, []dimse.Context{{Class: class}})
	if err != nil {
		return err
	}
	defer a.Abort()
	out := bufio.NewWriter(stdio.Out)
	defer out.Flush()
	found := 0
	answer := write(out, identifier)
	for ds, err := range a.Find(ctx, class, identifier) {
		if err != nil {
			out.Flush()
			return fail(ExitFailed, "C-FIND: %w", err)
		}
		if found++; o.most > 0 && found > o.most {
			fmt.Fprintf(stdio.Err, "gantry: stopped after %d answers, there are more\n", o.most)
			break
		}
		if err := answer(ds); err != nil {
			return fail(ExitFailed, "%w", err)
		}
	}
	release(ctx, a)
	if found == 0 {
		return failQuietly(ExitFailed)
	}
	return nil
}

// writeText returns a function that prints one answer.
func writeText(w io.Writer, _ *dicom.DataSet) func(*dicom.DataSet) error {
	n := 0
	return func(ds *dicom.DataSet) error {
		n++
		fmt.Fprintf(w, "Result %d:\n", n)
		for p, e := range ds.Walk() {
			if e.IsSequence() || e.Tag == tag.SpecificCharacterSet {
				continue
			}
			fmt.Fprintf(w, "  %s%v %s = %q\n", strings.Repeat("  ", len(p)), e.Tag, keyword(e.Tag), strings.Join(e.Texts(), `\`))
		}
		return nil
	}
}

func keyword(t tag.Tag) string {
	if e, ok := dict.Lookup(t); ok {
		return e.Keyword
	}
	return "?"
}

// writeCSV has a column for each key of the question.
func writeCSV(w io.Writer, identifier *dicom.DataSet) func(*dicom.DataSet) error {
	out := csv.NewWriter(w)
	var tags []tag.Tag
	var head []string
	for e := range identifier.All() {
		if e.Tag != tag.QueryRetrieveLevel && e.Tag != tag.SpecificCharacterSet {
			tags, head = append(tags, e.Tag), append(head, keyword(e.Tag))
		}
	}
	started := false
	return func(ds *dicom.DataSet) error {
		if !started {
			started = true
			out.Write(head)
		}
		row := make([]string, len(tags))
		for i, t := range tags {
			row[i] = defuse(strings.Join(ds.Texts(t), `\`))
		}
		out.Write(row)
		out.Flush()
		return out.Error()
	}
}

// defuse keeps a spreadsheet from taking a value for a formula.
func defuse(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
