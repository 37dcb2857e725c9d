package sqlite

import (
	"gantry/internal/archive/index"
)

// The columns of a study and of a series are those of one of their instances. A study is
// mixed when another instance says something else, or said so once: searches of instances
// then look at all of it.

// mix marks the study of a new instance when it is not what the columns say.
func (b *batch) mix(se *series, e *index.Entry) error {
	st := se.study
	if st.mixed || st.rep != 0 && se.rep != 0 && st.date == e.StudyDate && st.accession == e.Accession && se.modality == e.Modality {
		return nil
	}
	st.mixed = true
	return b.markMixed(st.pk)
}

func (b *batch) markMixed(study int64) error {
	_, err := b.x.exec(b.ctx, "UPDATE study SET mixed = 1 WHERE pk = ? AND NOT mixed", study)
	return err
}

// remix marks the study whose columns, or whose series' columns, are about to change.
func (b *batch) remix(level index.Level, pk int64, e *index.Entry) error {
	switch level {
	case index.Study:
		_, err := b.x.exec(b.ctx, "UPDATE study SET mixed = 1 WHERE pk = ? AND NOT mixed AND attrs <> x'' AND (moment <> ? OR accession <> ?)", pk, e.Moment(), e.Accession)
		return err
	case index.Series:
		_, err := b.x.exec(b.ctx, "UPDATE study SET mixed = 1 WHERE NOT mixed AND pk = (SELECT study FROM series WHERE pk = ? AND attrs <> x'' AND modality <> ?)", pk, e.Modality)
		return err
	}
	return nil
}
