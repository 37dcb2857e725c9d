package ingest_test

import "time"

// testWait lets the committer's retry come up.
func testWait() { time.Sleep(10 * time.Millisecond) }
