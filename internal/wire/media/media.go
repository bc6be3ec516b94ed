// Package media reads what pictures and films say of people beside what they
// show: where they were taken and with which device, whose they are, and what
// somebody wrote about them.
//
// Read: JPEG, PNG, GIF, WebP, TIFF (and raw formats built on it), HEIC and AVIF,
// MP4 and QuickTime; in them EXIF, XMP, IPTC, Photoshop's resources, comments,
// text chunks, location and author atoms, Apple's and iTunes' metadata. Each
// value is a member under the kind of metadata and its own name there
// ("exif.GPSLatitude", "xmp.creator", "iptc.By-line", "png.Author",
// "movie.©xyz"), with the category that the format gives it. What exposure,
// sizes, colours, times and programs are is not told.
//
// A block that is not read (maker notes, unknown chunks and segments, metadata
// tracks as GoPro's, bytes behind the picture) is a leaf of category opaque. The
// picture itself is not looked at, nor a thumbnail.
//
// Where offsets depend on the length of a value, a new value takes the old
// one's place and is padded; a longer one is refused, and nothing goes but is
// blanked. Chunks of PNG and GIF, comments and unknown segments of JPEG and
// what is behind a picture go whole, with their checksums.
package media

import (
	"slices"
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// kind is a kind of file, known by its first bytes.
type kind struct {
	mediaType string
	is        func(string) bool
	read      func(r *reader, from, to int)
}

var kinds []kind

func init() { // pictures lie in pictures, so that the readers use this table
	kinds = []kind{
		{"image/jpeg", begins("\xff\xd8\xff"), (*reader).jpeg},
		{"image/png", begins(pngSignature), (*reader).png},
		{"image/gif", func(s string) bool { return strings.HasPrefix(s, "GIF87a") || strings.HasPrefix(s, "GIF89a") }, (*reader).gif},
		{"image/webp", func(s string) bool { return len(s) >= 12 && s[:4] == "RIFF" && s[8:12] == "WEBP" }, (*reader).webp},
		{"image/tiff", func(s string) bool { return strings.HasPrefix(s, "II*\x00") || strings.HasPrefix(s, "MM\x00*") }, (*reader).tiff},
		{"image/avif", brand("avif", "avis"), (*reader).boxes},
		{"image/heic", brand("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1", "miaf"), (*reader).boxes},
		{"video/quicktime", brand("qt  "), (*reader).boxes},
		{"video/mp4", brand(""), (*reader).boxes},
	}
}

func begins(with string) func(string) bool {
	return func(s string) bool { return strings.HasPrefix(s, with) }
}

// brand knows files of boxes by the brands in their first box.
func brand(names ...string) func(string) bool {
	return func(s string) bool {
		if len(s) < 16 || s[4:8] != "ftyp" {
			return false
		}
		size := int(bigEndian(s[:4]))
		if names[0] == "" {
			return true
		}
		for at := 8; at+4 <= min(size, len(s), 256); at += 4 {
			if at != 12 && slices.Contains(names, s[at:at+4]) { // 12 is a version
				return true
			}
		}
		return false
	}
}

// Type is the media type of a picture or film that Read reads, known by its
// first bytes ("image/jpeg"); "" for everything else.
func Type(text string) string {
	for _, k := range kinds {
		if k.is(text) {
			return k.mediaType
		}
	}
	return ""
}

// Read tells v of positions, serial numbers, names and comments.
func Read(text string, v wire.Visitor) {
	r := &reader{text: text, v: v, freeze: span{-1, -1}}
	if !r.file(0, len(text)) {
		r.flag(exposure.IncompleteContentType)
	}
}

// maxNesting bounds pictures in pictures and boxes in boxes.
const maxNesting = 16

// reader is the reading of one file.
type reader struct {
	text    string
	v       wire.Visitor
	nesting int
	taken   []span // values told of, in order
	// freeze is the chunk around, whose checksum covers the values in it: they go
	// with it, and cannot change.
	freeze  span
	flagged []exposure.Reason
	stopped bool
}

type span struct{ start, end int }

// file reads a whole file within the text; false for an unknown one.
func (r *reader) file(from, to int) bool {
	for _, k := range kinds {
		if !k.is(r.text[from:to]) {
			continue
		}
		if r.nesting++; r.nesting > maxNesting {
			r.flag(exposure.IncompleteDepth)
		} else {
			k.read(r, from, to)
		}
		r.nesting--
		return true
	}
	return false
}

func (r *reader) flag(reason exposure.Reason) {
	if !r.stopped && !slices.Contains(r.flagged, reason) {
		r.flagged = append(r.flagged, reason)
		r.v.Problem(reason)
	}
}

func (r *reader) broken() { r.flag(exposure.IncompleteSyntax) }

// maxScattered is how many values may stand out of order, as offsets allow.
const maxScattered = 4096

// tell tells of a value, unless it is blank. Values that overlap, as offsets
// allow too, cannot be edited one by one.
func (r *reader) tell(group, key string, l wire.Leaf) {
	raw := r.text[l.Start:l.End]
	if value, _ := l.Codec.Decode(raw); r.stopped || value == "" || strings.Trim(raw, "\x00 ") == "" {
		return
	}
	at, _ := slices.BinarySearchFunc(r.taken, l.Start, func(s span, start int) int { return s.start - start })
	if at > 0 && r.taken[at-1].end > l.Start || at < len(r.taken) && r.taken[at].start < l.End {
		r.broken()
		return
	}
	if at < len(r.taken) && len(r.taken) > maxScattered {
		r.flag(exposure.IncompleteBudget)
		r.stopped = true
		return
	}
	r.taken = slices.Insert(r.taken, at, span{l.Start, l.End})
	if r.freeze.start >= 0 {
		l.Member, l.MemberEnd, l.Codec = r.freeze.start, r.freeze.end, frozen{l.Codec}
	}
	r.v.Enter(group)
	r.v.Enter(key)
	r.stopped = !r.v.Leaf(l)
	r.v.Leave()
	r.v.Leave()
}

// meaning is what the format says of a value; nil: nothing.
type meaning struct{ category exposure.Category }

func is(c exposure.Category) *meaning { return &meaning{c} }

// value makes a leaf that can only be blanked.
func value(from, to int, c wire.Codec, m *meaning) wire.Leaf {
	l := wire.Leaf{Start: from, End: to, Member: -1, Codec: c}
	if m != nil {
		l.Category, l.Known = m.category, true
	}
	return l
}

// opaque tells of bytes that are not read.
func (r *reader) opaque(group, key string, from, to int) {
	if from < to {
		r.tell(group, key, r.unread(from, to))
	}
}

func (r *reader) unread(from, to int) wire.Leaf {
	l := value(from, to, blob{}, is(exposure.Opaque))
	l.Type = "application/octet-stream"
	return l
}

// behind reads what follows the end of a file: further pictures (MPF), a film
// (motion photos), or what nobody looks at.
func (r *reader) behind(from, to int) {
	if from >= to || r.file(from, to) {
		return
	}
	l := r.unread(from, to)
	l.Member, l.MemberEnd = from, to
	r.tell("file", "trailer", l)
}
