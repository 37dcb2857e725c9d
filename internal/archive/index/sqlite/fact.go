package sqlite

import (
	"context"

	"gantry/internal/archive/record"
)

// fact applies a record that holds one.
func (b *batch) fact(e *record.Envelope) error {
	f, ok := e.Fact()
	if !ok {
		return nil
	}
	if len(f.Value) == 0 {
		_, err := b.x.exec(b.ctx, "DELETE FROM fact WHERE kind = ? AND subject = ?", f.Kind, f.Subject)
		return err
	}
	_, err := b.x.exec(b.ctx, "INSERT OR REPLACE INTO fact VALUES (?, ?, ?)", f.Kind, f.Subject, []byte(f.Value))
	return err
}

// Facts implements index.Index.
func (x *Index) Facts(ctx context.Context, kind, from string, n int) ([]record.Fact, error) {
	rows, err := x.query(ctx, "SELECT subject, value FROM fact WHERE kind = ? AND subject >= ? ORDER BY subject LIMIT ?", kind, from, n)
	if err != nil {
		return nil, x.tell(err)
	}
	defer rows.Close()
	var out []record.Fact
	for rows.Next() {
		f := record.Fact{Kind: kind}
		var value []byte
		if err := rows.Scan(&f.Subject, &value); err != nil {
			return nil, x.tell(err)
		}
		f.Value = value
		out = append(out, f)
	}
	return out, x.tell(rows.Err())
}
