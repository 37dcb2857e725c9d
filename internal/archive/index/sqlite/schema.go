package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"gantry/internal/archive/index"
)

// migrations are applied in order, each in a transaction of its own; PRAGMA user_version
// counts them. One integer in the file's own header is all the state that takes, so no
// migration library is needed. A migration that was released is never changed.
func migrations() []string {
	return []string{`
CREATE TABLE state (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	segment INTEGER NOT NULL, offset INTEGER NOT NULL,  -- applied position of the log
	feed INTEGER NOT NULL,                              -- number of the last change
	norm INTEGER NOT NULL                               -- version of the names' normalisation
) STRICT;
INSERT INTO state VALUES (1, 0, 0, 0, 1);

-- An entity is visible while it has current instances. rep is the first of them, from
-- which its attributes and the columns below come.
CREATE TABLE patient (
	pk INTEGER PRIMARY KEY, id TEXT NOT NULL, issuer TEXT NOT NULL, born INTEGER NOT NULL, rep INTEGER NOT NULL DEFAULT 0,
	name TEXT NOT NULL DEFAULT '',                      -- folded, of rep
	attrs BLOB NOT NULL DEFAULT x'',
	studies INTEGER NOT NULL DEFAULT 0, series INTEGER NOT NULL DEFAULT 0, instances INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
	UNIQUE (id, issuer)
) STRICT;
CREATE TABLE patient_name (                            -- each folded component group ever seen
	norm TEXT NOT NULL, patient INTEGER NOT NULL, PRIMARY KEY (norm, patient)
) STRICT, WITHOUT ROWID;
CREATE TABLE study (
	pk INTEGER PRIMARY KEY, patient INTEGER NOT NULL, uid TEXT NOT NULL, born INTEGER NOT NULL, rep INTEGER NOT NULL DEFAULT 0,
	moment TEXT NOT NULL DEFAULT '', accession TEXT NOT NULL DEFAULT '',
	modalities TEXT NOT NULL DEFAULT '', classes TEXT NOT NULL DEFAULT '', attrs BLOB NOT NULL DEFAULT x'',
	series INTEGER NOT NULL DEFAULT 0, instances INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
	UNIQUE (uid, patient)
) STRICT;
CREATE INDEX study_patient ON study (patient);
CREATE INDEX study_moment ON study (moment);
CREATE INDEX study_accession ON study (accession) WHERE accession <> '';
CREATE TABLE series (
	pk INTEGER PRIMARY KEY, study INTEGER NOT NULL, uid TEXT NOT NULL, born INTEGER NOT NULL, rep INTEGER NOT NULL DEFAULT 0,
	modality TEXT NOT NULL DEFAULT '', number INTEGER NOT NULL DEFAULT 0, attrs BLOB NOT NULL DEFAULT x'',
	base INTEGER NOT NULL DEFAULT 0,                    -- what its instances' attributes are patches of
	instances INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
	UNIQUE (uid, study)
) STRICT;
CREATE INDEX series_study ON series (study);
CREATE TABLE base (pk INTEGER PRIMARY KEY, attrs BLOB NOT NULL) STRICT;
CREATE TABLE instance (
	pk INTEGER PRIMARY KEY, series INTEGER NOT NULL, sop TEXT NOT NULL, version INTEGER NOT NULL, flags INTEGER NOT NULL,
	class TEXT NOT NULL, syntax TEXT NOT NULL, number INTEGER NOT NULL,
	ref TEXT NOT NULL, head INTEGER NOT NULL, size INTEGER NOT NULL, head_crc INTEGER NOT NULL, crc INTEGER NOT NULL,
	record TEXT NOT NULL, received INTEGER NOT NULL, born INTEGER NOT NULL, attrs BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX instance_sop ON instance (sop, version);
CREATE INDEX instance_series ON instance (series);
CREATE TABLE reference (
	sop TEXT NOT NULL, instance INTEGER NOT NULL, PRIMARY KEY (sop, instance)
) STRICT, WITHOUT ROWID;
CREATE TABLE change (
	number INTEGER PRIMARY KEY, kind TEXT NOT NULL, instance INTEGER NOT NULL, record TEXT NOT NULL,
	sop TEXT NOT NULL, study TEXT NOT NULL, series TEXT NOT NULL, at INTEGER NOT NULL, flags INTEGER NOT NULL
) STRICT;
CREATE TABLE quarantine (
	record TEXT NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL, reason TEXT NOT NULL, envelope BLOB NOT NULL,
	PRIMARY KEY (segment, offset, record)
) STRICT, WITHOUT ROWID;
`, `
CREATE INDEX instance_held ON instance (pk) WHERE flags & 16;
`, `
ALTER TABLE state ADD COLUMN objects TEXT NOT NULL DEFAULT ''; -- folder of the objects, when it is not this file's
`, `
CREATE TABLE deleted (                                 -- instances that wait for their purge
	instance INTEGER PRIMARY KEY, at INTEGER NOT NULL,  -- when, by the record
	since INTEGER NOT NULL                              -- state.ran when it was applied
) STRICT;
INSERT INTO deleted SELECT c.instance, max(c.at), 0 FROM change c JOIN instance i ON i.pk = c.instance
	WHERE c.kind = 'delete' AND (i.flags & 20) = 4 GROUP BY c.instance;
ALTER TABLE state ADD COLUMN ran INTEGER NOT NULL DEFAULT 0; -- nanoseconds that a server ran over the archive
`, `
ALTER TABLE state ADD COLUMN scrub INTEGER NOT NULL DEFAULT 0;    -- the last instance whose bytes were read again
ALTER TABLE state ADD COLUMN scrubbed INTEGER NOT NULL DEFAULT 0; -- when the last round over all of them ended
CREATE TABLE damaged (                                           -- instances whose bytes are not those that came
	instance INTEGER PRIMARY KEY, found INTEGER NOT NULL, reason TEXT NOT NULL
) STRICT;
`, `
ALTER TABLE state ADD COLUMN settled INTEGER NOT NULL DEFAULT 0; -- up to which change studies were told of as complete
UPDATE state SET settled = feed;
CREATE TABLE settled (                                          -- those told of further than that
	study TEXT PRIMARY KEY, feed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`, `
DROP TABLE patient_name;                               -- Fill makes it again, and tells which studies are mixed
CREATE TABLE name (                                    -- each folded component group ever seen
	pk INTEGER PRIMARY KEY, norm TEXT NOT NULL UNIQUE
) STRICT;
CREATE VIRTUAL TABLE name_token USING fts5 (           -- its tokens, in hexadecimal; rowid is name.pk
	tokens, content = '', columnsize = 0, detail = none, tokenize = ascii
);
CREATE TABLE patient_name (
	name INTEGER NOT NULL, patient INTEGER NOT NULL, PRIMARY KEY (name, patient)
) STRICT, WITHOUT ROWID;
CREATE TABLE fill (                                    -- what is being derived anew from all instances
	what TEXT PRIMARY KEY, upto INTEGER NOT NULL,       -- names, or a tag; the last instance that was looked at
	until INTEGER NOT NULL                              -- the last one that there was at its begin
) STRICT, WITHOUT ROWID;
CREATE TABLE extra (                                   -- attributes that are indexed beside the columns
	tag INTEGER NOT NULL, value TEXT NOT NULL, instance INTEGER NOT NULL, PRIMARY KEY (tag, value, instance)
) STRICT, WITHOUT ROWID;
CREATE INDEX extra_instance ON extra (instance);
CREATE TABLE extra_tag (tag INTEGER PRIMARY KEY) STRICT; -- which
ALTER TABLE state ADD COLUMN patients INTEGER NOT NULL DEFAULT 0; -- totals, of what is visible
ALTER TABLE state ADD COLUMN studies INTEGER NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN series INTEGER NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN instances INTEGER NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN versions INTEGER NOT NULL DEFAULT 0; -- of all rows of instance
UPDATE state SET versions = (SELECT count(*) FROM instance), patients = (SELECT count(*) FROM patient WHERE instances > 0),
	(studies, series, instances, bytes) = (SELECT coalesce(sum(studies), 0), coalesce(sum(series), 0), coalesce(sum(instances), 0), coalesce(sum(bytes), 0) FROM patient);
ALTER TABLE study ADD COLUMN mixed INTEGER NOT NULL DEFAULT 0; -- an instance has another date, accession number or modality than the columns say
CREATE INDEX study_mixed ON study (pk) WHERE mixed;
`, `
CREATE TABLE generation (                                       -- how often segments of the log were rewritten
	segment INTEGER PRIMARY KEY, generation INTEGER NOT NULL
) STRICT;
`, `
CREATE TABLE fact (                                             -- what is known beside the objects
	kind TEXT NOT NULL, subject TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
`, `
DROP TABLE name_token;                                          -- Fill makes words of the names there are
CREATE TABLE word (                                             -- each word of a name
	pk INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE
) STRICT;
CREATE VIRTUAL TABLE word_token USING fts5 (                    -- its tokens, in hexadecimal; rowid is word.pk
	tokens, content = '', columnsize = 0, detail = none, tokenize = ascii
);
CREATE TABLE name_word (                                        -- which names have it; norm is that of the name, nothing for long ones
	word INTEGER NOT NULL, norm TEXT NOT NULL, name INTEGER NOT NULL, PRIMARY KEY (word, norm, name)
) STRICT, WITHOUT ROWID;
INSERT INTO word_token (word_token, rank) VALUES ('crisismerge', 4); -- few lists to be read for a token: new words are rare
INSERT INTO fill SELECT 'words', 0, m FROM (SELECT max(pk) AS m FROM name) WHERE m > 0;
DROP INDEX study_moment;
CREATE INDEX study_moment ON study (moment, pk, patient);       -- in the order of answers, with all that a search of names and days asks
`}
}

// Flags of an instance and of a change.
const (
	flagCurrent  = 1 << iota
	flagConflict // differs from what was there under the UID
	flagHidden   // deleted, may be restored
	flagNew      // of a change: the study's first instance
	flagHeld     // hidden since it came, until it is released
)

// visible selects the instances that queries and retrievals see.
const visible = "(i.flags & 5) = 1"

// migrate brings the schema up to date.
func migrate(ctx context.Context, c *sql.Conn) error {
	var have int
	if err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&have); err != nil {
		return err
	}
	all := migrations()
	if have > len(all) {
		return fmt.Errorf("%w: schema %d, this program knows %d", index.ErrLater, have, len(all))
	}
	for i := have; i < len(all); i++ {
		q := fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA user_version = %d; COMMIT", all[i], i+1)
		if _, err := c.ExecContext(ctx, q); err != nil {
			_, _ = c.ExecContext(ctx, "ROLLBACK") // fails when there is no transaction left
			return fmt.Errorf("schema %d: %w", i+1, err)
		}
	}
	return nil
}
