package cli

import (
	"github.com/spf13/cobra"

	"gantry/internal/cli/verb"
)

func newFind(stdio *Stdio) *cobra.Command {
	o := verb.Find{EmptyIsBad: true}
	c := command("find PEER", "Query a peer (C-FIND)", &cobra.Command{
		Long: `Query a peer (C-FIND). Without keys, those that people ask for at the level are returned.

The formats: text; json is an array in the DICOM JSON Model (PS3.18 F); xml is the Native
DICOM Model (PS3.19 A.1); csv has a column for each key and is safe to open in a
spreadsheet; table is for reading.

With --batch each line of a file is a query: Keyword=value, as many as wanted, with quotes
around blanks; or a JSON object, {"PatientID": "4711"}. Keys of the command line are part of
every query. The answers come in the order of the lines, each with the number of its query;
the columns of csv are those of the first. A query that fails is named by its line, and the
others go on.

--fuzzy, --date-time, --timezone, --empty-values, --multiple-values and --relational ask the peer
for an option of extended negotiation (PS3.4 C.5.1.1); one that it does not accept is told of.

` + peerHelp + "\n\n" + keyHelp,
		Example: `  gantry find localhost:11112 -k PatientName='DOE*'
  gantry find PACS@10.0.0.9:104 -L SERIES -k StudyInstanceUID=1.2.3 -k Modality -k SeriesDescription
  gantry find localhost -k StudyDate=20260101- --format csv > studies.csv
  gantry find PACS@10.0.0.9:104 --batch queries.txt -j 4 --format json > answers.json`,
		Args: cobra.ExactArgs(1),
		RunE: calls(stdio, &o.Peer, o.Run),
	})
	peerFlags(c, &o.Peer)
	queryFlags(c, &o.Query)
	f := c.Flags()
	f.StringVar(&o.Layout, "format", "text", "text, json, csv, xml or table")
	f.StringVarP(&o.File, "output", "o", "", "file to write to")
	f.StringVar(&o.Extract, "extract", "", "folder for the answers as DICOM files, rsp0001.dcm and so on")
	f.IntVar(&o.Most, "max-results", 0, "stop after so many answers and cancel the query; 0 is never")
	f.StringVar(&o.Batch, "batch", "", "file of queries, one a line; - is standard input")
	f.IntVarP(&o.Jobs, "jobs", "j", 1, "associations at a time, for --batch")
	e := &o.Options
	f.BoolVar(&e.Fuzzy, "fuzzy", false, "match names that sound alike or are nearly so")
	f.BoolVar(&e.DateTime, "date-time", false, "match a range of dates and one of times as one of moments")
	f.BoolVar(&e.Timezone, "timezone", false, "adjust times by time zones; the query's is -k TimezoneOffsetFromUTC=+0100")
	f.BoolVar(&e.Empty, "empty-values", false, `match what has no value with -k 'Keyword=""'`)
	f.BoolVar(&e.Multiple, "multiple-values", false, `match any of several values, a\b`)
	f.BoolVar(&e.Relational, "relational", false, "leave keys of higher levels out")
	f.StringVar(&o.Urgency, "priority", "medium", "high, medium or low")
	return c
}
