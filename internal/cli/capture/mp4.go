package capture

import (
	"encoding/binary"
	"io"
	"math"

	"gantry/dicom/uid"
	"gantry/pixel"
)

// maxFragment is the greatest length of a fragment (PS3.5 A.4).
const maxFragment = 0xFFFFFFFE

// readMP4 keeps a video file (PS3.5 8.2.7, 8.2.8): its headers say by what transfer syntax.
func readMP4(in *io.SectionReader) (*Object, error) {
	if in.Size() > maxFragment {
		return nil, wrong("MP4: %d bytes, one fragment holds %d: split the video", in.Size(), uint32(maxFragment))
	}
	movie, ok := find(in, "moov")
	if !ok {
		return nil, wrong("MP4: no movie header (moov): the file is damaged, or its headers are spread over fragments")
	}
	for b, err := range boxes(movie) {
		if err != nil {
			return nil, err
		}
		if b.kind != "trak" {
			continue
		}
		if v, err := readTrack(b.body); v != nil || err != nil {
			if err != nil {
				return nil, err
			}
			return v.object(in)
		}
	}
	return nil, wrong("MP4: no video track of H.264 or HEVC")
}

// video is what the headers of a track say.
type video struct {
	syntax        uid.UID
	width, height int
	bits          int
	frames        int
	interval      float64 // of a frame, in ms
}

func (v *video) object(in *io.SectionReader) (*Object, error) {
	if v.width < 1 || v.height < 1 || v.frames < 1 || !(v.interval > 0) || math.IsInf(v.interval, 0) {
		return nil, wrong("MP4: %d frames of %d x %d pixels at %g ms", v.frames, v.width, v.height, v.interval)
	}
	d := pixel.Desc{Rows: v.height, Columns: v.width, Samples: 3, BitsAllocated: 8, BitsStored: v.bits, HighBit: v.bits - 1,
		Photometric: pixel.YBRPartial420, Frames: v.frames}
	if v.bits > 8 {
		d.BitsAllocated = 16
	}
	method := "ISO_14496_10"
	if v.syntax == uid.HEVCMP51 || v.syntax == uid.HEVCM10P51 {
		method = "ISO_23008_2"
	}
	return &Object{Class: uid.VideoPhotographicImageStorage, Syntax: v.syntax, Desc: d, lossy: method,
		ratio: float64(d.FrameSize()) * float64(v.frames) / float64(in.Size()),
		times: []float64{v.interval}, coded: []io.Reader{in}, sizes: []int64{in.Size()}}, nil
}

// readTrack returns nil for a track that is not video.
func readTrack(r *io.SectionReader) (*video, error) {
	media, ok := find(r, "mdia")
	if !ok {
		return nil, nil
	}
	if kind, ok := head(media, 12, "hdlr"); !ok || string(kind[8:12]) != "vide" {
		return nil, nil
	}
	v := &video{bits: 8}
	entry, ok := head(media, 16+78, "minf", "stbl", "stsd")
	if !ok {
		return nil, wrong("MP4: the video track has no description (stsd)")
	}
	// Version and count, then the entry: its length, kind and 78 bytes (14496-12 12.1.3).
	v.width, v.height = int(binary.BigEndian.Uint16(entry[16+24:])), int(binary.BigEndian.Uint16(entry[16+26:]))
	description, _ := find(media, "minf", "stbl", "stsd")
	if err := v.process(string(entry[12:16]), io.NewSectionReader(description, 16+78, max(description.Size()-16-78, 0))); err != nil {
		return nil, err
	}
	return v, v.timing(media)
}

// head returns the first n bytes of the box at a path.
func head(r *io.SectionReader, n int, path ...string) ([]byte, bool) {
	b, ok := find(r, path...)
	if !ok || b.Size() < int64(n) {
		return nil, false
	}
	out := make([]byte, n)
	_, err := b.ReadAt(out, 0)
	return out, err == nil || err == io.EOF
}

// process finds profile and level (14496-15 5.3.3.1, 8.3.3.1), and the transfer syntax for
// them (PS3.5 10.12 to 10.17).
func (v *video) process(kind string, inner *io.SectionReader) error {
	switch kind {
	case "avc1", "avc3":
		b, ok := head(inner, 4, "avcC")
		if !ok {
			return wrong("MP4: no decoder configuration (avcC)")
		}
		profile, level := b[1], b[3]
		switch {
		case profile != 100 || level > 42:
			return wrong("MP4: H.264 of profile %d, level %d.%d: DICOM has High Profile (100) up to level 4.2; encode it anew", profile, level/10, level%10)
		case level > 41:
			v.syntax = uid.MPEG4HP422D
		default:
			v.syntax = uid.MPEG4HP41
		}
		return nil
	case "hvc1", "hev1":
		b, ok := head(inner, 13, "hvcC")
		if !ok {
			return wrong("MP4: no decoder configuration (hvcC)")
		}
		profile, level := b[1]&0x1F, b[12]
		switch {
		case level > 153 || profile != 1 && profile != 2:
			return wrong("MP4: HEVC of profile %d, level %.1f: DICOM has Main (1) and Main 10 (2) up to level 5.1; encode it anew", profile, float64(level)/30)
		case profile == 1:
			v.syntax = uid.HEVCMP51
		default:
			v.syntax, v.bits = uid.HEVCM10P51, 10
		}
		return nil
	}
	return wrong("MP4: video of kind %q: DICOM has H.264 and HEVC; encode it anew", kind)
}

// timing reads how many frames there are, and how long one is shown on average.
func (v *video) timing(media *io.SectionReader) error {
	count, ok := head(media, 12, "minf", "stbl", "stsz")
	b, has := head(media, 24, "mdhd")
	if !ok || !has {
		return wrong("MP4: the video track tells neither its frames (stsz) nor their time (mdhd)")
	}
	scale, duration := uint64(binary.BigEndian.Uint32(b[12:])), uint64(binary.BigEndian.Uint32(b[16:]))
	if b[0] == 1 {
		long, ok := head(media, 32, "mdhd")
		if !ok {
			return wrong("MP4: the media header (mdhd) is cut off")
		}
		scale, duration = uint64(binary.BigEndian.Uint32(long[20:])), binary.BigEndian.Uint64(long[24:])
	}
	frames := binary.BigEndian.Uint32(count[8:])
	if frames > math.MaxInt32 || frames == 0 || scale == 0 {
		return wrong("MP4: %d frames, %d units a second", frames, scale)
	}
	v.frames, v.interval = int(frames), float64(duration)/float64(scale)*1000/float64(frames)
	return nil
}
