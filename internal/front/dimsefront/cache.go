package dimsefront

import (
	"iter"
	"sync"

	"gantry/dicom"
	"gantry/dicom/uid"
	"gantry/service/query"
)

// Bounds of what answers are kept.
const (
	cachedAnswers = 32      // of one query
	cachedEntries = 1024    // queries
	cachedBytes   = 8 << 20 // of all answers, encoded
)

// findCache keeps the answers of small queries that are asked again and again, as
// workstations do, until anything in the archive changes. It is safe for concurrent use.
type findCache struct {
	mu      sync.Mutex
	entries map[string]*cachedQuery
	bytes   int
}

type cachedQuery struct {
	feed    uint64
	answers []*dicom.DataSet
}

// keyOf is what tells queries apart: all that the answers depend on.
func keyOf(q *query.Query) string {
	info := q.Bytes()
	b := append(append(make([]byte, 0, 512), byte(q.Model), byte(len(info))), info...)
	b, err := dicom.AppendEncode(b, q.Identifier, uid.ExplicitVRLittleEndian)
	if err != nil || len(b) > 4096 {
		return ""
	}
	return string(b)
}

// get returns the answers of a query, if nothing has changed since they were found.
func (c *findCache) get(key string, feed uint64) (iter.Seq[*dicom.DataSet], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil || e.feed != feed {
		return nil, false
	}
	return func(yield func(*dicom.DataSet) bool) {
		for _, ds := range e.answers {
			if !yield(ds) {
				return
			}
		}
	}, true
}

// put keeps answers. A full cache begins anew, which costs less than to choose.
func (c *findCache) put(key string, feed uint64, answers []*dicom.DataSet) {
	size := len(key)
	for _, ds := range answers {
		size += int(ds.Size())
	}
	if size > cachedBytes/cachedAnswers {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= cachedEntries || c.bytes+size > cachedBytes || c.entries == nil {
		c.entries, c.bytes = map[string]*cachedQuery{}, 0
	}
	c.entries[key] = &cachedQuery{feed, answers}
	c.bytes += size
}
