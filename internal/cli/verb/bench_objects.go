package verb

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gantry/dicom"
	"gantry/dicom/tag"
	"gantry/dicom/uid"
	"gantry/dicom/vr"
	"gantry/dimse"
	"gantry/internal/archive/egress"
)

// modalities are those that objects are made of, with the bytes of a pixel.
var modalities = []struct {
	name  string
	class uid.UID
	bytes int
}{
	{"CT", uid.CTImageStorage, 2},
	{"MR", uid.MRImageStorage, 2},
	{"CR", uid.ComputedRadiographyImageStorage, 2},
	{"DX", uid.DigitalXRayImageStorageForPresentation, 2},
	{"MG", uid.DigitalMammographyXRayImageStorageForPresentation, 2},
	{"US", uid.UltrasoundImageStorage, 1},
	{"XA", uid.XRayAngiographicImageStorage, 1},
	{"NM", uid.NuclearMedicineImageStorage, 2},
	{"PT", uid.PositronEmissionTomographyImageStorage, 2},
	{"OT", uid.SecondaryCaptureImageStorage, 1},
}

// Modalities lists the modalities that objects can be made up of.
func Modalities() string {
	var out []string
	for _, m := range modalities {
		out = append(out, m.name)
	}
	return strings.Join(out, ", ")
}

// The sizes of a made-up object's pixels.
const (
	leastPixels = 64
	mostPixels  = 1 << 30
)

// How made-up objects lie together.
const (
	perSeries = 50
	perStudy  = 100
)

// maker makes up objects: images of a size, each with a UID of its own, of patients that
// nobody takes for real ones.
type maker struct {
	modality      string
	class         uid.UID
	rows, columns int
	bits          int
	pixels        []byte
	run           [16]byte // what UIDs are made from: another run makes others
	patient       string   // begins the patients' names and IDs
	begun         time.Time
	serial        atomic.Int64
	last          atomic.Pointer[seriesHeader]
}

// seriesHeader is what the objects of a series share, made once for all of them.
type seriesHeader struct {
	series int64
	*dicom.DataSet
}

func newMaker(modality string, size int64, patient string) (*maker, error) {
	if size < leastPixels || size > mostPixels {
		return nil, Fail(Usage, "size %d: want %d to %d bytes", size, leastPixels, mostPixels)
	}
	for _, m := range modalities {
		if !strings.EqualFold(m.name, modality) {
			continue
		}
		side := int(math.Sqrt(float64(size / int64(m.bytes))))
		k := &maker{modality: m.name, class: m.class, bits: 8 * m.bytes, columns: side, patient: patient, begun: time.Now()}
		k.rows = int(size) / m.bytes / side
		k.pixels = make([]byte, k.rows*k.columns*m.bytes+k.rows*k.columns*m.bytes%2)
		for i := range k.pixels { // a slope: neither noise nor nothing
			k.pixels[i] = byte(i >> (i % 2 * 8))
		}
		rand.Read(k.run[:])
		return k, nil
	}
	return nil, Fail(Usage, "modality %q: want one of %s", modality, Modalities())
}

// uid is the UID of entity n of a kind, made of a UUID (PS3.5 B.2).
func (m *maker) uid(kind byte, n int64) uid.UID {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(append(m.run[:], kind), uint64(n)))
	id := [16]byte(sum[:])
	id[6], id[8] = id[6]&0x0F|0x80, id[8]&0x3F|0x80
	return uid.FromUUID(id)
}

func (m *maker) study(n int64) uid.UID    { return m.uid('t', n/perStudy) }
func (m *maker) series(n int64) uid.UID   { return m.uid('s', n/perSeries) }
func (m *maker) instance(n int64) uid.UID { return m.uid('i', n) }

// header is object n without its pixels.
func (m *maker) header(n int64) (*dicom.DataSet, error) {
	h := m.last.Load()
	if h == nil || h.series != n/perSeries {
		ds, err := m.shared(n)
		if err != nil {
			return nil, err
		}
		h = &seriesHeader{n / perSeries, ds}
		m.last.Store(h)
	}
	return h.Edit().SetUID(tag.SOPInstanceUID, m.instance(n)).SetInt(tag.InstanceNumber, n%perSeries+1).Build()
}

// shared is the header of object n but for what it has alone.
func (m *maker) shared(n int64) (*dicom.DataSet, error) {
	study := n / perStudy
	return new(dicom.DataSet).Edit().
		SetUID(tag.SOPClassUID, m.class).
		SetText(tag.ImageType, "ORIGINAL", "PRIMARY").
		SetText(tag.StudyDate, m.begun.Format("20060102")).SetText(tag.StudyTime, m.begun.Format("150405")).
		SetText(tag.AccessionNumber, fmt.Sprintf("A%d", study)).
		SetText(tag.Modality, m.modality).SetText(tag.Manufacturer, "Gantry").
		SetText(tag.StudyDescription, "synthetic, for tests").SetText(tag.SeriesDescription, "synthetic").
		SetText(tag.PatientName, fmt.Sprintf("%s^%d", m.patient, study)).
		SetText(tag.PatientID, fmt.Sprintf("%s-%X-%d", m.patient, m.run[:3], study)).
		SetText(tag.PatientBirthDate, "19000101").SetText(tag.PatientSex, "O").
		SetUID(tag.StudyInstanceUID, m.study(n)).SetUID(tag.SeriesInstanceUID, m.series(n)).
		SetText(tag.StudyID, fmt.Sprint(study)).SetInt(tag.SeriesNumber, n%perStudy/perSeries+1).
		SetInt(tag.SamplesPerPixel, 1).SetText(tag.PhotometricInterpretation, "MONOCHROME2").
		SetInt(tag.Rows, int64(m.rows)).SetInt(tag.Columns, int64(m.columns)).
		SetInt(tag.BitsAllocated, int64(m.bits)).SetInt(tag.BitsStored, int64(m.bits)).SetInt(tag.HighBit, int64(m.bits-1)).
		SetInt(tag.PixelRepresentation, 0).
		Build()
}

// whole is object n with its pixels.
func (m *maker) whole(n int64) (*dicom.DataSet, error) {
	ds, err := m.header(n)
	if err != nil {
		return nil, err
	}
	return ds.Edit().SetBytes(tag.PixelData, vr.OW, m.pixels).Build()
}

// next is the next object, ready to be sent. The pixels are shared.
func (m *maker) next() (*dimse.Outgoing, error) { return m.outgoing(m.serial.Add(1) - 1) }

func (m *maker) outgoing(n int64) (*dimse.Outgoing, error) {
	ds, err := m.header(n)
	if err != nil {
		return nil, err
	}
	head, err := m.encode(ds, uid.ExplicitVRLittleEndian)
	if err != nil {
		return nil, err
	}
	return &dimse.Outgoing{Class: m.class, Instance: m.instance(n), Syntax: uid.ExplicitVRLittleEndian, Size: int64(len(head) + len(m.pixels)),
		Open: func(_ context.Context, syntax uid.UID) (io.ReadCloser, error) {
			head := head
			if syntax != uid.ExplicitVRLittleEndian {
				var err error
				if head, err = m.encode(ds, syntax); err != nil {
					return nil, err
				}
			}
			return io.NopCloser(io.MultiReader(bytes.NewReader(head), bytes.NewReader(m.pixels))), nil
		}}, nil
}

// encode is all that comes before the pixels, the head of their element included (PS3.5 7.1).
func (m *maker) encode(ds *dicom.DataSet, syntax uid.UID) ([]byte, error) {
	b, err := dicom.AppendEncode(nil, ds, syntax)
	if err != nil {
		return nil, err
	}
	b = append(b, 0xE0, 0x7F, 0x10, 0x00)
	if syntax == uid.ExplicitVRLittleEndian {
		b = append(b, 'O', 'W', 0, 0)
	}
	return binary.LittleEndian.AppendUint32(b, uint32(len(m.pixels))), nil
}

// contexts are those to propose for the objects.
func (m *maker) contexts() []dimse.Context {
	return []dimse.Context{{Class: m.class, Syntaxes: []uid.UID{uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian}}}
}

// maxBenchFiles bounds the files of a load: they are known by name in memory.
const maxBenchFiles = 100_000

// filesToSend are objects in files, sent over and over.
type filesToSend struct {
	files  []sending
	as     *Store // sends each as it is stored
	fresh  bool
	maker  *maker // names studies, series and instances that are fresh
	serial atomic.Int64
}

func newFiles(o *Bench, s *Stdio) (*filesToSend, error) {
	from := &Store{Common: o.Common, Sources: Sources{Inputs: o.Inputs, Folders: true, Recurse: true}}
	maker, err := newMaker("CT", leastPixels, "BENCH")
	if err != nil {
		return nil, err
	}
	from.Decoding, from.gate = DecodeNever, egress.New("")
	out := &filesToSend{as: from, fresh: o.Fresh, maker: maker}
	for src, err := range from.all(s) {
		var f sending
		if err == nil {
			f, err = from.inspect(src)
		}
		if err != nil {
			o.says(s, Normal, "%s: %v, left out", src.name, err)
			continue
		}
		if out.files = append(out.files, f); len(out.files) > maxBenchFiles {
			return nil, Fail(Usage, "more than %d files", maxBenchFiles)
		}
	}
	if len(out.files) == 0 {
		return nil, Fail(NoInput, "no file to send")
	}
	return out, nil
}

// contexts are one for each class and syntax.
func (l *filesToSend) contexts() ([]dimse.Context, error) {
	return l.as.plan(l.files)
}

// send sends the next file.
func (l *filesToSend) send(ctx context.Context, a *dimse.Assoc) (int64, error) {
	n := l.serial.Add(1) - 1
	f := l.files[n%int64(len(l.files))]
	file, done, err := f.open(dicom.DecodeOptions{})
	if err != nil {
		return 0, err
	}
	defer done()
	out := l.as.outgoing(file, f)
	if l.fresh {
		if out, err = l.renamed(file.DataSet, f, n); err != nil {
			return 0, err
		}
	}
	return out.Size, stored(a.Store(ctx, out))
}

// renamed is an object under UIDs of its own. What was one study or series stays one
// through a round of all files.
func (l *filesToSend) renamed(ds *dicom.DataSet, f sending, n int64) (*dimse.Outgoing, error) {
	round := n / int64(len(l.files))
	name := func(kind byte, t tag.Tag) uid.UID {
		sum := sha256.Sum256([]byte(ds.UID(t)))
		return l.maker.uid(kind, int64(binary.BigEndian.Uint64(sum[:])>>1)^round)
	}
	instance := l.maker.instance(n)
	ds, err := ds.Edit().SetUID(tag.SOPInstanceUID, instance).
		SetUID(tag.StudyInstanceUID, name('t', tag.StudyInstanceUID)).SetUID(tag.SeriesInstanceUID, name('s', tag.SeriesInstanceUID)).Build()
	if err != nil {
		return nil, err
	}
	b, err := dicom.AppendEncode(nil, ds, f.syntax)
	if err != nil {
		return nil, err
	}
	return &dimse.Outgoing{Class: f.class, Instance: instance, Syntax: f.syntax, Size: int64(len(b)),
		Open: func(ctx context.Context, syntax uid.UID) (io.ReadCloser, error) {
			if syntax == f.syntax {
				return io.NopCloser(bytes.NewReader(b)), nil
			}
			if err := l.as.may(f.syntax, syntax); err != nil {
				return nil, err
			}
			return l.as.gate.Open(ctx, ds, f.syntax, syntax)
		}}, nil
}

// stored is the error that a C-STORE's response stands for: none for warnings.
func stored(status dimse.Status, err error) error {
	if err == nil && !slices.Contains([]dimse.StatusClass{dimse.ClassSuccess, dimse.Warning}, status.Class()) {
		err = &dimse.StatusError{Status: status}
	}
	return err
}
