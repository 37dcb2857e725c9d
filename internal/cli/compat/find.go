package compat

import (
	"time"

	"gantry/dicom/uid"
	"gantry/internal/cli/verb"
)

// findExits are the exit codes of the described query tools.
func findExits() []Exit {
	return []Exit{
		{0, "done", []verb.Outcome{verb.Done}},
		{1, "the query failed, or nothing was found", []verb.Outcome{verb.Nothing, verb.Failed, verb.Partial, verb.Output}},
		{2, "wrong arguments, or no association", []verb.Outcome{verb.Usage, verb.Connect, verb.NoInput}},
	}
}

// keyed are the query options of the described tools.
func keyed(q *verb.Query) Group {
	return Group{"Query", []Flag{
		{Names: names("-P/--patient-root"), Help: "Patient Root model", Same: q.Model == "patient", Set: to(&q.Model, "patient")},
		{Names: names("-S/--study-root"), Help: "Study Root model", Same: q.Model == "study", Set: to(&q.Model, "study")},
		{Names: names("-L/--level"), Params: names("level"), Help: "PATIENT, STUDY, SERIES or IMAGE (default STUDY)", Set: oneOf(&q.Level, "PATIENT", "STUDY", "SERIES", "IMAGE")},
		{Names: names("-k/--key"), Params: names("tag=value"), Help: "key, such as 0010,0010=Smith* or PatientName=Smith*; may be repeated", Set: more(&q.Keys)},
		{Names: names("-f/--query-file"), Params: names("file"), Help: "file of keys, one (gggg,eeee)=value a line, # for comments", Set: more(&q.Lists)},
	}}
}

func findSCU() *Program {
	o := &verb.Find{Layout: "text", EmptyIsBad: true}
	o.Model, o.Level = "patient", "STUDY"
	groups := described(&o.Common, &o.Peer, "FINDSCU", 30*time.Second)
	return &Program{
		Name: "find_scu", Purpose: "query a peer (C-FIND)", Usage: "[options] <peer> <port>",
		Options: o, Args: calls(&o.Peer, 0, nil), Run: o.Run,
		Groups: append(groups, keyed(&o.Query), Group{"Output", []Flag{
			{Names: names("-o/--output/--format"), Params: names("format"), Help: "text, json, xml or csv (default text)", Set: oneOf(&o.Layout, "text", "json", "xml", "csv")},
			{Names: names("--output-file"), Params: names("file"), Help: "write to a file", Set: text(&o.File)},
			{Names: names("-X/--extract"), Help: "write each answer to a DICOM file, rsp0001.dcm and so on", Set: to(&o.Extract, ".")},
			{Names: names("--max-results"), Params: names("n"), Help: "stop after n answers and cancel the query; 0 is no limit", Set: number(&o.Most, 0, 1<<31)},
		}}),
		Examples: []string{"find_scu -P -L STUDY -k 0010,0010=Smith* localhost 11112", "find_scu -S -k StudyDate=20260101- -o csv --output-file studies.csv localhost 11112",
			"find_scu -aec PACS -f query.txt --max-results 100 10.0.0.9 104"},
		Exits: findExits(),
	}
}

func querySCU() *Program {
	o := &verb.Find{Layout: "table", EmptyIsBad: true}
	o.Form, o.Calling, o.MaxPDU, o.Model, o.Level = verb.Described3, "QUERY_SCU", 16384, "study", "STUDY"
	o.Connect, o.Associate, o.Respond = 30*time.Second, 30*time.Second, 30*time.Second
	criterion := func(keyword string) func([]string) error {
		return func(v []string) error { o.Keys = append(o.Keys, keyword+"="+v[0]); return nil }
	}
	return &Program{
		Name: "query_scu", Purpose: "query a peer (C-FIND)", Usage: "<host> <port> <called_ae> [options]",
		Options: o, Args: calls3(&o.Peer), Run: o.Run,
		Groups: []Group{
			{"Query", []Flag{
				{Names: names("--level"), Params: names("level"), Help: "PATIENT, STUDY, SERIES or IMAGE (default STUDY)", Set: oneOf(&o.Level, "PATIENT", "STUDY", "SERIES", "IMAGE")},
				{Names: names("--model"), Params: names("model"), Help: "patient or study (default study)", Set: oneOf(&o.Model, "patient", "study")},
				{Names: names("--patient-name"), Params: names("name"), Help: "wildcards * and ?", Set: criterion("PatientName")},
				{Names: names("--patient-id"), Params: names("id"), Set: criterion("PatientID")},
				{Names: names("--patient-birth-date"), Params: names("date"), Set: criterion("PatientBirthDate")},
				{Names: names("--patient-sex"), Params: names("sex"), Set: criterion("PatientSex")},
				{Names: names("--study-date"), Params: names("date"), Help: "20260131 or a range, 20260101-20260131", Set: criterion("StudyDate")},
				{Names: names("--study-time"), Params: names("time"), Set: criterion("StudyTime")},
				{Names: names("--accession-number"), Params: names("number"), Set: criterion("AccessionNumber")},
				{Names: names("--study-uid"), Params: names("uid"), Set: criterion("StudyInstanceUID")},
				{Names: names("--study-id"), Params: names("id"), Set: criterion("StudyID")},
				{Names: names("--study-description"), Params: names("text"), Set: criterion("StudyDescription")},
				{Names: names("--modality"), Params: names("modality"), Help: "of the series, or in the study", Set: text(&o.Modality)},
				{Names: names("--series-uid"), Params: names("uid"), Set: criterion("SeriesInstanceUID")},
				{Names: names("--sop-instance-uid"), Params: names("uid"), Set: criterion("SOPInstanceUID")},
			}},
			{"Options", []Flag{
				{Names: names("--format/-o"), Params: names("format"), Help: "table, json or csv (default table)", Set: oneOf(&o.Layout, "table", "json", "csv")},
				{Names: names("--max-results"), Params: names("n"), Help: "stop after n answers and cancel the query", Set: number(&o.Most, 0, 1<<31)},
				{Names: names("--calling-ae"), Params: names("title"), Help: "our AE title (default QUERY_SCU)", Set: title(&o.Calling)},
				{Names: names("--verbose/-v"), Help: "say what is being done", Set: to(&o.Say, verb.Verbose)},
				help("--help/-h"),
			}},
			tlsGroup(&o.Peer),
		},
		Examples: []string{"query_scu localhost 11112 PACS --patient-name 'SMITH*'", "query_scu localhost 11112 PACS --level SERIES --study-uid 1.2.3 --format json",
			"query_scu 10.0.0.9 104 PACS --study-date 20260101-20260131 --modality CT --format csv"},
		Exits: findExits(),
	}
}

// uncompressed are the proposals that all of DCMTK's tools have for identifiers.
func uncompressed(p *[]uid.UID) []Flag {
	le, be, im := uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.ImplicitVRLittleEndian
	*p = []uid.UID{le, be, im}
	return []Flag{
		{Names: names("-x=/--propose-uncompr"), Help: "explicit VR little endian first (default)", Same: true, Set: to(p, []uid.UID{le, be, im})},
		{Names: names("-xe/--propose-little"), Help: "explicit VR little endian first", Same: true, Set: to(p, []uid.UID{le, be, im})},
		{Names: names("-xb/--propose-big"), Help: "explicit VR big endian first", Set: to(p, []uid.UID{be, le, im})},
		{Names: names("-xd/--propose-deflated"), Help: "deflated explicit VR little endian first", Set: to(p, []uid.UID{uid.DeflatedExplicitVRLittleEndian, le, be, im})},
		{Names: names("-xi/--propose-implicit"), Help: "implicit VR little endian only", Set: to(p, []uid.UID{im})},
	}
}

// model are DCMTK's information models.
func model(q *verb.Query) []Flag {
	return []Flag{
		{Names: names("-k/--key"), Params: names("key"), Help: "gggg,eeee=value, keyword=value or path; may be repeated", Set: more(&q.Keys)},
		{Names: names("-P/--patient"), Help: "patient root information model", Same: q.Model == "patient", Set: to(&q.Model, "patient")},
		{Names: names("-S/--study"), Help: "study root information model", Set: to(&q.Model, "study")},
		{Names: names("-O/--psonly"), Help: "patient/study only information model", Set: to(&q.Model, "patient-study")},
	}
}

func compression() Flag {
	return Flag{Names: names("+cl/--compression-level"), Params: names("level"), Always: "one level serves; what is deflated is a few keys"}
}

func findscu() *Program {
	o := &verb.Find{Layout: "text", NoDefaults: true}
	o.Model = "worklist"
	return &Program{
		Name: "findscu", DCMTK: true, Purpose: "DICOM query (C-FIND) SCU", Usage: "[options] peer port [dcmfile-in...]",
		Options: o, Args: calls(&o.Peer, -1, &o.Query.Files), Run: o.Run,
		Groups: []Group{
			general(&o.Common),
			{"Query", append(model(&o.Query),
				Flag{Names: names("-W/--worklist"), Help: "modality worklist information model (default)", Same: true, Set: to(&o.Model, "worklist")})},
			{"Application entity titles", titles(&o.Peer, "FINDSCU")},
			{"Proposed transfer syntaxes", append(uncompressed(&o.Syntaxes), compression(),
				Flag{Names: names("+u/--enable-new-vr"), Always: "every VR is written as it is"},
				Flag{Names: names("-u/--disable-new-vr"), Refuse: "every VR is written as it is"})},
			{"Other network options", append(waits(&o.Peer),
				Flag{Names: names("--repeat"), Params: names("n"), Help: "ask n times", Set: number(&o.Repeat, 1, 1<<31)},
				Flag{Names: names("--abort"), Help: "end by A-ABORT", Set: to(&o.Abort, true)},
				Flag{Names: names("--cancel"), Params: names("n"), Help: "cancel after n answers", Set: number(&o.Most, 1, 1<<31)})},
			secure(&o.Peer),
			{"Output options", []Flag{
				{Names: names("-od/--output-directory"), Params: names("dir"), Help: "folder for extracted answers (default .)", Set: func(v []string) error {
					if o.Folder = v[0]; o.Extract != "" {
						o.Extract = v[0]
					}
					return nil
				}},
				{Names: names("+dc/--enable-correction"), Refuse: "values are printed as the peer sent them"},
				{Names: names("-dc/--disable-correction"), Always: "values are printed as the peer sent them"},
				{Names: names("+sr/--show-responses"), Help: "print answers, also when they are extracted", Set: to(&o.Show, true)},
				{Names: names("-sr/--hide-responses"), Help: "print no answers", Set: to(&o.Hide, true)},
				{Names: names("-X/--extract"), Help: "write answers to files, rsp0001.dcm and so on", Set: func([]string) error { o.Extract = folder(o.Folder); return nil }},
				{Names: names("-Xx/--extract-xml"), Help: "write answers to XML files (PS3.19 Native DICOM Model), rsp0001.xml and so on",
					Set: func([]string) error { o.Extract, o.AsXML = folder(o.Folder), true; return nil }},
				{Names: names("-Xs/--extract-xml-single"), Params: names("file"), Help: "write all answers to an XML file", Set: text(&o.OneXML)},
				{Names: names("-Xlo/--limit-output"), Params: names("n"), Help: "extract only n answers", Set: number(&o.KeepMost, 1, 1<<31)},
			}},
		},
		Examples: []string{"findscu -S -k QueryRetrieveLevel=STUDY -k PatientName=DOE* localhost 11112",
			"findscu -W -k 'ScheduledProcedureStepSequence[0].Modality=CT' localhost 11112", "findscu -X -P -aec PACS 10.0.0.9 104 query.dcm"},
		Exits: []Exit{
			{0, "done, also when nothing was found", []verb.Outcome{verb.Done, verb.Nothing}},
			{1, "wrong arguments", []verb.Outcome{verb.Usage, verb.NoInput, verb.Output}},
			{2, "no association, or the query failed", []verb.Outcome{verb.Connect, verb.Failed, verb.Partial}},
		},
	}
}

func folder(name string) string {
	if name == "" {
		return "."
	}
	return name
}
