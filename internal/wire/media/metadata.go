package media

import (
	"strconv"
	"strings"

	"cordon/internal/exposure"
)

// metadata reads the metadata box of films: Apple's list of keys and iTunes'
// list of items.
func (r *reader) metadata(meta box) {
	from := meta.from
	// ISO makes it a full box with version and flags, QuickTime does not.
	if meta.to-from >= 8 && r.text[from+4:from+8] != "hdlr" {
		from += 4
	}
	var keys []string
	r.inside(from, meta.to, func(b box) {
		switch b.kind {
		case "hdlr", "free", "ctry", "lang":
			if b.kind == "free" {
				r.other(b)
			}
		case "keys":
			r.inside(b.from+8, b.to, func(k box) { keys = append(keys, latin(r.text[k.from:k.to])) })
		case "ilst":
			r.inside(b.from, b.to, func(i box) { r.listed(i, keys) })
		default:
			r.other(b)
		}
	})
}

// listed reads one item, which has a name of its own or the number of a key.
func (r *reader) listed(b box, keys []string) {
	if n := bigEndian(b.kind); n >= 1 && n <= uint64(len(keys)) {
		key := keys[n-1]
		m, technical := keyMeaning(key)
		if !technical {
			r.dataBoxes(b, key, m)
		}
		return
	}
	if plainAtoms[b.kind] {
		return
	}
	if b.kind == "----" {
		r.freeform(b)
		return
	}
	r.dataBoxes(b, boxName(b.kind), atoms[b.kind])
}

// keyMeaning knows keys by their last words ("com.apple.quicktime.author").
func keyMeaning(key string) (m *meaning, technical bool) {
	lower := strings.ToLower(key)
	for _, k := range []struct {
		part string
		*meaning
	}{
		{"location", is(exposure.Precise)}, {"gps", is(exposure.Precise)}, {"direction", is(exposure.Precise)},
		{"identifier", is(exposure.DeviceID)}, {"serial", is(exposure.DeviceID)}, {"uuid", is(exposure.DeviceID)},
		{"author", is(exposure.Name)}, {"artist", is(exposure.Name)}, {"copyright", is(exposure.Name)}, {"creator", is(exposure.Name)},
		{"director", is(exposure.Name)}, {"producer", is(exposure.Name)}, {"publisher", is(exposure.Name)}, {"owner", is(exposure.Name)},
		{"comment", is(exposure.Text)}, {"description", is(exposure.Text)}, {"title", is(exposure.Text)}, {"displayname", is(exposure.Text)},
		{"keywords", is(exposure.Text)}, {"information", is(exposure.Text)}, {"note", is(exposure.Text)},
	} {
		if strings.Contains(lower, k.part) {
			return k.meaning, false
		}
	}
	for _, plain := range []string{".make", ".model", ".software", ".creationdate", ".camera.", "android.version", "capture.fps", "video-orientation", ".player.", "encoder", "brand", "live-photo", "full-frame-rate"} {
		if strings.Contains(lower, plain) {
			return nil, true
		}
	}
	return nil, false
}

// freeform reads iTunes' items that carry their own name.
func (r *reader) freeform(b box) {
	name := ""
	r.inside(b.from, b.to, func(i box) {
		if i.kind == "name" && i.to-i.from > 4 {
			name = latin(r.text[i.from+4 : i.to])
		}
	})
	m, technical := keyMeaning(name)
	if !technical {
		r.dataBoxes(b, name, m)
	}
}

// dataBoxes reads the values of an item: type, locale, value.
func (r *reader) dataBoxes(b box, name string, m *meaning) {
	r.inside(b.from, b.to, func(d box) {
		if d.kind != "data" || d.to-d.from <= 8 {
			return
		}
		switch kind := bigEndian(r.text[d.from : d.from+4]); kind {
		case 1: // UTF-8
			r.tell("movie", name, value(d.from+8, d.to, fixed{}, m))
		case 2: // UTF-16
			r.tell("movie", name, value(d.from+8, d.to, wide{order{big: true}}, m))
		case 13, 14, 27: // a cover
			r.file(d.from+8, d.to)
		case 21, 22, 23, 24, 0: // numbers
			if m != nil || kind == 0 {
				r.opaque("movie", name, d.from+8, d.to)
			}
		default:
			r.opaque("movie", name, d.from+8, d.to)
		}
	})
}

// loci is a place of 3GPP. It is blanked, not changed.
type loci struct{}

func (loci) Decode(raw string) (string, bool) {
	name, rest := cutZero(raw)
	if len(rest) < 13 {
		return latin(name), true
	}
	var b strings.Builder
	b.WriteString(latin(name))
	for i := 1; i <= 9; i += 4 { // behind the role
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatFloat(float64(int32(bigEndian(rest[i:i+4])))/65536, 'f', 5, 64))
	}
	body, notes := cutZero(rest[13:])
	notes, _ = cutZero(notes)
	for _, more := range []string{body, notes} {
		if more != "" {
			b.WriteString(" " + latin(more))
		}
	}
	return b.String(), true
}

func (c loci) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	return strings.Repeat("\x00", len(raw)), value == ""
}
