package media

import (
	"strings"

	"cordon/internal/exposure"
)

// box is one of the ISO base media file format (ISO/IEC 14496-12): its data is
// from:to.
type box struct {
	kind     string
	from, to int
}

// each yields the boxes in from:to.
func (r *reader) each(from, to int, yield func(box)) {
	for pos := from; pos < to && !r.stopped; {
		if to-pos < 8 {
			if strings.Trim(r.text[pos:to], "\x00") != "" { // QuickTime ends lists with a zero
				r.broken()
			}
			return
		}
		size, head := bigEndian(r.text[pos:pos+4]), 8
		b := box{kind: r.text[pos+4 : pos+8]}
		switch {
		case size == 1 && to-pos >= 16:
			size, head = bigEndian(r.text[pos+8:pos+16]), 16
		case size == 0:
			size = uint64(to - pos)
		}
		if size < uint64(head) || size > uint64(to-pos) {
			r.broken()
			return
		}
		b.from, b.to = pos+head, pos+int(size)
		yield(b)
		pos = b.to
	}
}

// inside reads the boxes in a box.
func (r *reader) inside(from, to int, yield func(box)) {
	if r.nesting++; r.nesting > maxNesting {
		r.flag(exposure.IncompleteDepth)
	} else if from <= to {
		r.each(from, to, yield)
	} else {
		r.broken()
	}
	r.nesting--
}

// boxes reads a whole file.
func (r *reader) boxes(from, to int) {
	r.each(from, to, func(b box) {
		switch b.kind {
		case "ftyp", "mdat", "moof", "mfra", "sidx", "styp", "ssix", "prft", "pnot", "PICT", "pdin", "emsg", "idat":
		case "moov":
			r.movie(b)
		case "meta":
			r.items(b, from, to)
		case "mpvd": // a film in a picture
			r.file(b.from, b.to)
		default:
			r.other(b)
		}
	})
}

// other takes a box of any place that has no meaning there.
func (r *reader) other(b box) {
	switch {
	case b.kind == "uuid" && b.to-b.from >= 16 && r.text[b.from:b.from+16] == xmpUUID:
		r.xmp(b.from+16, b.to)
	case b.kind == "XMP_":
		r.xmp(b.from, b.to)
	case b.kind == "udta":
		r.userData(b)
	default: // also free and skip, in which a program may have left what it removed
		r.opaque("movie", boxName(b.kind), b.from, b.to)
	}
}

const xmpUUID = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"

func boxName(kind string) string { return strings.Trim(latin(kind), "\x00 ") }
