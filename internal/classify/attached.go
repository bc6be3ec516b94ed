package classify

import (
	"strings"

	"cordon/internal/wire/media"
)

// binaryFiles are the first bytes of files that are not read here: PDF, ZIP and
// with it office documents, older office documents, gzip, 7z, RAR.
var binaryFiles = []string{"%PDF", "PK\x03\x04", "\xd0\xcf\x11\xe0", "\x1f\x8b", "7z\xbc\xaf", "Rar!"}

// openedFile opens a text that is plainly a file in base64, as what is attached
// to a mail in JSON is. The value stays one field, of what the mapping says; what
// the file tells of people besides is derived from it and shares its fate. A file
// that nobody here can read makes the value opaque.
func (w *walk) openedFile(l *leaf, g int32, at position, raw string) bool {
	if !l.search || len(raw) < minBase64 || !promising(raw) {
		return false
	}
	text, _ := at.enc.decode(raw)
	if len(text) < minBase64 || strings.ContainsAny(text, " \t") {
		return false
	}
	decoded, ok := unbase64(text)
	if !ok || decoded == "" {
		return false
	}
	switch {
	case media.Type(decoded) != "" || readable(decoded):
	case begins(decoded, binaryFiles) || len(decoded) >= 256: // no word is so long
		w.unread(l, g, at, raw)
		return true
	default:
		return false
	}
	host := len(w.f.fields)
	w.found(l, g, at, raw)
	if w.stopped || l.none || len(w.f.fields) == host || !w.deeper() {
		return true
	}
	within, layers := len(w.f.fields), len(w.f.layers)
	w.inner(at, raw, text, func() {
		w.decoded("base64", nil, func() {
			w.inner(position{enc: base64Text, member: -1}, w.s, decoded, func() {
				if media.Type(decoded) != "" {
					w.media(nil, g)
					return
				}
				w.found(l, g, position{enc: wholeText, member: -1}, w.s)
			})
		})
	})
	if media.Type(decoded) == "" && len(w.f.fields) == within+1 { // the text, and nothing in it
		w.f.fields, w.f.layers = w.f.fields[:within], w.f.layers[:layers]
		if w.traced {
			w.places = w.places[:within]
		}
		return true
	}
	for i := within; i < len(w.f.fields); i++ {
		w.f.fields[i].marks |= derived
		w.f.fields[i].host = int32(host)
	}
	return true
}

func begins(s string, with []string) bool {
	for _, prefix := range with {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
