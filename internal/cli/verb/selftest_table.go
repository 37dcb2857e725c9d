package verb

// testTags are all tags, in the order in which they are listed.
var testTags = []string{"connectivity", "store_query", "worklist", "workflow", "multimodal", "xa", "tls", "stability", "smoke", "stress", "dcmtk"}

// scenarios are all of them.
var scenarios = []scenario{
	{"C-ECHO is answered", []string{"connectivity", "smoke"}, testEcho},
	{"Ten C-ECHO go over one association", []string{"connectivity"}, testEchoes},
	{"Eight associations live side by side", []string{"connectivity"}, testSideBySide},
	{"An unknown transfer syntax is rejected, the other context is not", []string{"connectivity"}, testUnknownSyntax},
	{"An aborted association leaves the peer answering", []string{"connectivity", "stability"}, testAbort},

	{"A stored object is found at every level", []string{"store_query", "smoke"}, testFindLevels},
	{"A stored object comes back as it was sent", []string{"store_query", "smoke"}, testGet},
	{"The patient of an object is found in the Patient Root model", []string{"store_query"}, testPatientRoot},
	{"Wildcards, ranges and lists match", []string{"store_query"}, testMatching},
	{"What is not there is not found", []string{"store_query"}, testNotFound},
	{"An object sent twice is there once", []string{"store_query"}, testTwice},
	{"A canceled query leaves the association usable", []string{"store_query"}, testCancel},

	{"A worklist is queried", []string{"worklist"}, testWorklist},
	{"A performed procedure step is begun and completed", []string{"worklist", "workflow"}, testProcedureStep},

	{"A study goes from modality to workstation", []string{"workflow", "smoke"}, testWorkflow},
	{"A study goes where C-MOVE sends it", []string{"workflow", "store_query"}, testMove},
	{"Storage is committed", []string{"workflow"}, testCommitment},

	{"Each modality is kept and found", []string{"multimodal"}, testModalities},
	{"A study of two modalities is one study", []string{"multimodal", "workflow"}, testTwoModalities},
	{"An XA image comes back as it was sent", []string{"xa", "multimodal"}, testXA},
	{"An XA run of eight frames keeps its frames", []string{"xa"}, testXARun},

	{"C-ECHO is answered over TLS", []string{"tls", "connectivity"}, testTLSEcho},
	{"An object goes both ways over TLS", []string{"tls", "store_query"}, testTLSStore},
	{"A certificate of another authority is refused", []string{"tls"}, testTLSUntrusted},
	{"TLS without DICOM in it does no harm", []string{"tls", "stability"}, testTLSGarbage},

	{"Garbage on the port does no harm", []string{"stability"}, testGarbage},
	{"An object cut short is not kept", []string{"stability", "store_query"}, testCutShort},
	{"An association is served after a pause", []string{"stability"}, testPause},
	{"A hundred associations follow each other", []string{"stability"}, testHundred},

	{"Eight senders store 200 objects", []string{"stress", "store_query"}, testSenders},
	{"Clients of all kinds work at once", []string{"stress"}, testMixedLoad},
	{"An object of 64 MiB comes back as it was sent", []string{"stress"}, testLarge},

	{"DCMTK's echoscu is answered", []string{"dcmtk", "connectivity"}, testEchoscu},
	{"What DCMTK's storescu sends, findscu finds", []string{"dcmtk", "store_query"}, testStorescu},
	{"What is stored, DCMTK's getscu fetches and dcmdump reads", []string{"dcmtk"}, testGetscu},
}
