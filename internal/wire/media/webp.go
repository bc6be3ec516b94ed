package media

import "strings"

// webp reads the chunks of RIFF: type, size, data, filled up to even length.
func (r *reader) webp(from, to int) {
	end := from + 8 + int(littleEndian(r.text[from+4:from+8]))
	if end > to {
		r.broken()
		end = to
	}
	pos := from + 12
	for pos+8 <= end && !r.stopped {
		kind := r.text[pos : pos+4]
		size := int(littleEndian(r.text[pos+4 : pos+8]))
		data := pos + 8
		if size > end-data {
			r.broken()
			break
		}
		switch kind {
		case "EXIF":
			skip := len("Exif\x00\x00")
			if !strings.HasPrefix(r.text[data:data+size], "Exif\x00\x00") { // it ought not to be there
				skip = 0
			}
			r.tiff(data+skip, data+size)
		case "XMP ":
			r.xmp(data, data+size)
		case "VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "ICCP":
		default:
			r.opaque("webp", strings.TrimSpace(latin(kind)), data, data+size)
		}
		pos = data + size + size%2
	}
	r.behind(end, to)
}
