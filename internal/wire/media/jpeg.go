package media

import (
	"strconv"
	"strings"

	"cordon/internal/exposure"
)

// jpeg reads the segments of ISO/IEC 10918-1 Annex B.
func (r *reader) jpeg(from, to int) {
	pos := from + 2
	for pos+2 <= to && !r.stopped {
		if r.text[pos] != 0xff {
			r.broken()
			return
		}
		marker := r.text[pos+1]
		switch {
		case marker == 0xff: // filling
			pos++
			continue
		case marker == 0xd9:
			r.behind(pos+2, to)
			return
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd7:
			pos += 2
			continue
		}
		start := pos
		if pos += 2; pos+2 > to {
			break
		}
		size := int(bigEndian(r.text[pos : pos+2]))
		if size < 2 || pos+size > to {
			r.broken()
			return
		}
		r.segment(marker, start, pos+2, pos+size)
		if pos += size; marker == 0xda {
			pos = r.scan(pos, to)
		}
	}
	r.broken() // no end of image
}

// scan passes over the coded picture, in which FF is followed by 00 or by a
// restart marker.
func (r *reader) scan(pos, to int) int {
	for pos+1 < to {
		i := strings.IndexByte(r.text[pos:to-1], 0xff)
		if i < 0 {
			break
		}
		pos += i
		if next := r.text[pos+1]; next != 0 && (next < 0xd0 || next > 0xd7) {
			return pos
		}
		pos += 2
	}
	return to
}

const (
	xmpName      = "http://ns.adobe.com/xap/1.0/\x00"
	xmpMoreName  = "http://ns.adobe.com/xmp/extension/\x00"
	photoshopApp = "Photoshop 3.0\x00"
)

// segment reads one whose marker is at start and whose data is from:to.
func (r *reader) segment(marker byte, start, from, to int) {
	data := r.text[from:to]
	at := func(name string) (int, bool) { return from + len(name), strings.HasPrefix(data, name) }
	switch {
	case marker == 0xfe:
		l := value(from, to, fixed{pad: ' '}, is(exposure.Text))
		l.Member, l.MemberEnd = start, to
		r.tell("jpeg", "comment", l)
		return
	case marker < 0xe0 || marker > 0xef:
		return
	}
	if body, ok := at("Exif\x00"); ok && body < to {
		r.tiff(body+1, to)
		return
	}
	if body, ok := at(xmpName); ok {
		r.xmp(body, to)
		return
	}
	if body, ok := at(xmpMoreName); ok {
		r.moreXMP(body, to)
		return
	}
	if body, ok := at(photoshopApp); ok && marker == 0xed {
		r.photoshop(body, to)
		return
	}
	for _, known := range []string{"JFIF\x00", "JFXX\x00", "ICC_PROFILE\x00", "MPF\x00", "Adobe", "Ducky", "AVI1"} {
		if strings.HasPrefix(data, known) {
			return
		}
	}
	l := r.unread(from, to)
	l.Member, l.MemberEnd = start, to
	r.tell("jpeg", "app"+strconv.Itoa(int(marker-0xe0)), l)
}

// moreXMP reads extended XMP: a name of 32 bytes, the size of the whole, where
// this piece of it begins, the piece. Only a single piece is XML of its own.
func (r *reader) moreXMP(from, to int) {
	const head = 32 + 4 + 4
	if to-from < head {
		r.broken()
		return
	}
	size, offset := bigEndian(r.text[from+32:from+36]), bigEndian(r.text[from+36:from+40])
	if offset == 0 && size == uint64(to-from-head) {
		r.xmp(from+head, to)
		return
	}
	r.opaque("xmp", "extension", from+head, to)
}
