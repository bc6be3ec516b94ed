package media

import (
	"strconv"
	"strings"

	"cordon/internal/exposure"
)

// photoshop reads image resources (Adobe's file formats specification).
func (r *reader) photoshop(from, to int) {
	for pos := from; pos+12 <= to && !r.stopped; {
		if r.text[pos:pos+4] != "8BIM" {
			if strings.Trim(r.text[pos:to], "\x00") != "" {
				r.opaque("photoshop", "unknown", pos, to)
			}
			return
		}
		id := int(bigEndian(r.text[pos+4 : pos+6]))
		name := pos + 6 + 1 + int(r.text[pos+6])
		name += (name - pos) % 2
		if name+4 > to {
			r.broken()
			return
		}
		size := int(bigEndian(r.text[name : name+4]))
		data := name + 4
		if size > to-data {
			r.broken()
			return
		}
		r.resource(id, data, data+size)
		pos = data + size + size%2
	}
}

func (r *reader) resource(id, from, to int) {
	switch {
	case id == 0x0404:
		r.iptc(from, to)
	case id == 0x0422 || id == 0x0423:
		r.tiff(from, to)
	case id == 0x0424:
		r.xmp(from, to)
	case id == 0x03f0 || id == 0x0408: // captions
		r.tell("photoshop", "caption", value(min(from+1, to), to, fixed{pad: ' '}, is(exposure.Text)))
	case id == 0x040b || id == 0x040a && to-from > 1:
		r.tell("photoshop", "url", value(from, to, fixed{pad: ' '}, nil))
	case (id == 0x0409 || id == 0x040c) && to-from > 28:
		r.file(from+28, to) // a thumbnail
	case id >= 0x03e8 && id <= 0x0bb7 || id == 0x2710: // resolution, colours, guides, paths, layers, print
		if to-from > 1<<10 && id != 0x040f && id != 0x0416 {
			r.opaque("photoshop", tagName(id), from, to)
		}
	default:
		r.opaque("photoshop", tagName(id), from, to)
	}
}

// dataSets of IPTC's application record (IIM 4.2).
var dataSets = map[int]struct {
	name string
	*meaning
}{
	5: {"ObjectName", is(exposure.Text)}, 25: {"Keywords", is(exposure.Text)}, 26: {"ContentLocationCode", is(exposure.Imprecise)},
	27: {"ContentLocationName", is(exposure.Imprecise)}, 40: {"SpecialInstructions", is(exposure.Text)},
	80: {"By-line", is(exposure.Name)}, 85: {"By-lineTitle", is(jobTitle)}, 90: {"City", is(exposure.Imprecise)},
	92: {"Sub-location", is(exposure.Precise)}, 95: {"Province-State", is(exposure.Imprecise)}, 100: {"Country-Code", is(exposure.Imprecise)},
	101: {"Country-Name", is(exposure.Imprecise)}, 105: {"Headline", is(exposure.Text)}, 110: {"Credit", is(exposure.Name)},
	115: {"Source", is(exposure.Name)}, 116: {"CopyrightNotice", is(exposure.Name)}, 118: {"Contact", is(exposure.Name)},
	120: {"Caption-Abstract", is(exposure.Text)}, 122: {"Writer-Editor", is(exposure.Name)}, 221: {"Prefs", nil}, 231: {"DocumentHistory", nil},
}

// iptc reads data sets: 1C, record, number, size, data.
func (r *reader) iptc(from, to int) {
	for pos := from; pos+5 <= to && !r.stopped; {
		if r.text[pos] != 0x1c {
			if strings.Trim(r.text[pos:to], "\x00") != "" {
				r.opaque("iptc", "unknown", pos, to)
			}
			return
		}
		record, number := r.text[pos+1], int(r.text[pos+2])
		size := int(bigEndian(r.text[pos+3 : pos+5]))
		if pos += 5; size&0x8000 != 0 { // the size of the size
			n := size & 0x7fff
			if n > 4 || pos+n > to {
				r.broken()
				return
			}
			size = int(bigEndian(r.text[pos : pos+n]))
			pos += n
		}
		if size > to-pos {
			r.broken()
			return
		}
		set, known := dataSets[number]
		switch text := r.text[pos : pos+size]; {
		case record == 2 && known:
			r.tell("iptc", set.name, value(pos, pos+size, fixed{pad: ' '}, set.meaning))
		case record == 2 && number >= 200 && number < 203: // a preview of the picture
			r.file(pos, pos+size)
		case record == 1 || record == 2 && plainIPTC[number]: // the envelope: formats, dates, character set
		case strings.IndexByte(text, 0) >= 0:
			r.opaque("iptc", strconv.Itoa(number), pos, pos+size)
		default:
			r.tell("iptc", strconv.Itoa(int(record))+":"+strconv.Itoa(number), value(pos, pos+size, fixed{pad: ' '}, nil))
		}
		pos += size
	}
}

// plainIPTC say when, of which kind, how urgent and with which program.
var plainIPTC = map[int]bool{
	0: true, 3: true, 4: true, 7: true, 8: true, 10: true, 12: true, 15: true, 20: true, 22: true, 30: true, 35: true, 37: true, 38: true, 42: true,
	55: true, 60: true, 62: true, 63: true, 65: true, 70: true, 75: true, 130: true, 131: true, 135: true,
}
