package media

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// exif is the reading of one TIFF structure (TIFF 6.0, CIPA DC-008).
type exif struct {
	*reader
	order
	from, to int
	seen     map[int]bool // directories, which may point in circles
}

// entry is one of a directory's.
type entry struct {
	tag, kind, count int
	start, end       int // its value
	at               int
}

// maxDirectories bounds the directories of one file; real ones have under ten.
const maxDirectories = 64

func (r *reader) tiff(from, to int) {
	x := exif{reader: r, from: from, to: to, seen: map[int]bool{}}
	head := r.text[from:to]
	if len(head) < 8 {
		r.broken()
		return
	}
	switch head[:4] {
	case "II*\x00":
	case "MM\x00*":
		x.big = true
	default:
		r.broken()
		return
	}
	x.chain(int(x.number(head[4:8])), mainTags)
}

// chain reads a directory and those that follow it (thumbnails).
func (x *exif) chain(offset int, tags map[int]tag) {
	for offset != 0 && !x.stopped {
		offset = x.directory(offset, tags)
	}
}

// directory reads one and returns where the next one is.
func (x *exif) directory(offset int, tags map[int]tag) int {
	at := x.from + offset
	if at+2 > x.to || len(x.seen) >= maxDirectories || x.seen[offset] {
		x.broken()
		return 0
	}
	x.seen[offset] = true
	count := int(x.number(x.text[at : at+2]))
	at += 2
	if at+count*12 > x.to {
		x.broken()
		count = (x.to - at) / 12
	}
	list := make([]entry, 0, count)
	for range count {
		if e, ok := x.entry(at); ok {
			list = append(list, e)
		}
		at += 12
	}
	for i := range list {
		x.told(list, i, tags)
	}
	if at+4 > x.to {
		return 0
	}
	return int(x.number(x.text[at : at+4]))
}

// sizes of the kinds of values; 129 is EXIF 3's UTF-8.
var sizes = map[int]int{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}

const (
	kindByte      = 1
	kindASCII     = 2
	kindRational  = 5
	kindUndefined = 7
	kindUTF8      = 129
)

func (x *exif) entry(at int) (e entry, ok bool) {
	raw := x.text[at : at+12]
	e = entry{tag: int(x.number(raw[:2])), kind: int(x.number(raw[2:4])), at: at}
	size, known := sizes[e.kind]
	count := x.number(raw[4:8])
	if !known || count*uint64(size) > uint64(x.to-x.from) {
		if e.tag != 0 {
			x.broken()
		}
		return e, false
	}
	e.count = int(count)
	e.start = at + 8
	if e.count*size > 4 {
		e.start = x.from + int(x.number(raw[8:12]))
	}
	e.end = e.start + e.count*size
	if e.end > x.to {
		x.broken()
		return e, false
	}
	return e, true
}

// told tells of one entry.
func (x *exif) told(list []entry, i int, tags map[int]tag) {
	e := list[i]
	t, known := tags[e.tag]
	raw := x.text[e.start:e.end]
	switch {
	case e.start == e.end:
	case known && t.how == directoryTag:
		for n := 0; n < e.count && n < maxDirectories && (e.end-e.start)/max(1, e.count) == 4; n++ {
			x.directory(int(x.number(raw[4*n:4*n+4])), t.tags)
		}
	case known && t.how == thumbnailTag:
		x.thumbnail(list, e)
	case known && t.how == technical:
	case known && t.how == halfTag:
		// Which half of the globe it is tells of nobody, and has to stay as long as
		// a rounded position does.
		if half := strings.Trim(raw, "\x00 "); len(half) > 1 || !strings.Contains("NSEW", half) {
			x.tell("exif", t.name, value(e.start, e.end, fixed{}, nil))
		}
	case known && t.how == xmpTag:
		x.xmp(e.start, e.end)
	case known && t.how == iptcTag:
		x.iptc(e.start, e.end)
	case known && t.how == photoshopTag:
		x.photoshop(e.start, e.end)
	case known && t.how == opaqueTag:
		x.opaque("exif", t.name, e.start, e.end)
	case known && t.how == wideTag:
		x.tell("exif", t.name, value(e.start, e.end, wide{}, is(t.category)))
	case known && t.how == commentTag:
		x.comment(t, e)
	case known && e.kind == kindRational && e.count <= 3:
		x.tell("exif", t.name, value(e.start, e.end, x.rational(list, e, t), is(t.category)))
	case known && (e.kind == kindASCII || e.kind == kindUTF8 || e.kind == kindByte || e.kind == kindUndefined):
		x.tell("exif", t.name, value(e.start, e.end, fixed{}, is(t.category)))
	case known:
		x.opaque("exif", t.name, e.start, e.end)
	case e.kind == kindASCII || e.kind == kindUTF8:
		x.tell("exif", tagName(e.tag), value(e.start, e.end, fixed{}, nil))
	case (e.kind == kindUndefined || e.kind == kindByte) && e.end-e.start > 32:
		x.opaque("exif", tagName(e.tag), e.start, e.end)
	}
}

// comment reads a text that begins with the name of its character set.
func (x *exif) comment(t tag, e entry) {
	const head = 8
	if e.end-e.start <= head {
		return
	}
	var c wire.Codec = fixed{}
	switch x.text[e.start : e.start+head] {
	case "UNICODE\x00":
		c = wide{x.order}
	case "JIS\x00\x00\x00\x00\x00":
		x.opaque("exif", t.name, e.start+head, e.end)
		return
	}
	x.tell("exif", t.name, value(e.start+head, e.end, c, is(t.category)))
}

// thumbnail reads a picture within; its directory says how long it is.
func (x *exif) thumbnail(list []entry, e entry) {
	for _, other := range list {
		if other.tag == 0x0202 && other.end-other.start == 4 && e.end-e.start == 4 {
			from := x.from + int(x.number(x.text[e.start:e.end]))
			to := from + int(x.number(x.text[other.start:other.end]))
			if from > x.to || to > x.to {
				x.flag(exposure.IncompleteSyntax)
				return
			}
			x.file(from, to)
			return
		}
	}
}
