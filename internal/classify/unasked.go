package classify

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire/media"
)

// minBase64 is the length from which a value that no mapping names is tried as
// base64: shorter ones are words and ids.
const minBase64 = 16

// openedUnasked opens a value that no mapping names when it is plainly a
// document: JSON, base64 of something readable, a JWT, a data: URL.
func (w *walk) openedUnasked(n *node, g int32, at position, raw string) bool {
	if len(raw) < 2 || !promising(raw) {
		return false
	}
	text, _ := at.enc.decode(raw)
	switch {
	case looksJSON(text):
		if !w.isJSON(text) || !w.deeper() {
			return false
		}
		w.inner(at, raw, text, func() {
			w.decoded("json", nil, func() { w.json(nil, nil, g, 0, len(w.s)) })
		})
		return true
	case strings.HasPrefix(text, "data:"):
		return w.dataURL(g, at, raw, text)
	case strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") >= 2:
		return w.compactToken(g, at, raw, text)
	case len(text) >= minBase64:
		return w.base64Unasked(g, at, raw, text)
	}
	return false
}

// promising looks at the first bytes only, to spare the usual value more.
func promising(raw string) bool {
	switch c := raw[0]; {
	case c == '{' || c == '[' || c == '\\' || c == '%' || c == ' ' || c == '\n' || c == '\t' || c == '\r':
		return true
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+' || c == '/':
		if strings.HasPrefix(raw, "data:") {
			return true
		}
		if len(raw) < minBase64 {
			return false
		}
		for i := 1; i < minBase64; i++ { // no blank, no point, no sign that base64 lacks
			if d := raw[i]; !('a' <= d && d <= 'z' || 'A' <= d && d <= 'Z' || '0' <= d && d <= '9' ||
				d == '+' || d == '/' || d == '-' || d == '_' || d == '=' || d == '%' || d == '\\' || d == '.' && raw[0] == 'e') {
				return false
			}
		}
		return true
	}
	return false
}

// base64Unasked opens what is base64 of JSON, of text or of an image. That a
// name or an id decodes to readable text by accident takes less than one in a
// million at sixteen characters.
func (w *walk) base64Unasked(g int32, at position, raw, text string) bool {
	if !beginsReadable(text) {
		return false
	}
	decoded, ok := unbase64(text)
	if !ok || decoded == "" {
		return false
	}
	image := media.Type(decoded)
	if image == "" && !readable(decoded) {
		return false
	}
	if !w.deeper() {
		return false
	}
	w.inner(at, raw, text, func() {
		w.decoded("base64", nil, func() {
			w.inner(position{enc: base64Text, member: -1}, w.s, decoded, func() {
				if image != "" {
					w.media(nil, g)
					return
				}
				w.whole(nil, nil, g)
			})
		})
	})
	return true
}

// compactToken reads the payload of a JWT (RFC 7519). Its signature covers it,
// so that nothing in it can be changed. Of a JWE nothing can be read.
func (w *walk) compactToken(g int32, at position, raw, text string) bool {
	parts := strings.Split(text, ".")
	head, ok := unbase64(parts[0])
	if !ok || !w.isJSON(head) {
		return false
	}
	if len(parts) == 5 && strings.Contains(head, `"enc"`) {
		w.unread(nil, g, at, raw)
		return true
	}
	payload, ok := unbase64(parts[1])
	if len(parts) != 3 || !ok || !w.isJSON(payload) || !w.deeper() {
		return false
	}
	w.inner(at, raw, text, func() {
		from := len(parts[0]) + 1
		w.decoded("jwt", nil, func() {
			w.inner(position{enc: base64Text, start: int32(from), member: -1}, parts[1], payload, func() {
				w.f.layers[len(w.f.layers)-1].sealed = true
				w.json(nil, nil, g, 0, len(w.s))
			})
		})
	})
	return true
}

// unread takes a value that is encrypted, or in a format that is not read here:
// besides what the mapping says of it, it is opaque.
func (w *walk) unread(l *leaf, g int32, at position, raw string) {
	w.found(l, g, at, raw)
	host := len(w.f.fields) - 1
	if w.stopped || l != nil && l.none || host < 0 || host+1 >= maxFields {
		return
	}
	of := w.f.fields[host]
	of.Category, of.marks, of.host = exposure.Opaque, of.marks&(unnamed|deliver|render)|derived, int32(host)
	of.position = position{enc: piece, start: 0, member: -1}
	w.f.fields = append(w.f.fields, of)
	if w.traced {
		w.trace()
	}
}

// dataURL reads what a data: URL holds (RFC 2397).
func (w *walk) dataURL(g int32, at position, raw, text string) bool {
	head, payload, ok := strings.Cut(text[len("data:"):], ",")
	if !ok || payload == "" || len(head) > 256 || !w.deeper() {
		return false
	}
	media, coded := strings.CutSuffix(head, ";base64")
	from := len(text) - len(payload)
	place, inside := position{enc: pathText, start: int32(from), member: -1}, ""
	if coded {
		place.enc = base64Text
		if inside, ok = unbase64(payload); !ok {
			return false
		}
	} else {
		inside, _ = percentDecode(payload, false)
	}
	w.inner(at, raw, text, func() {
		w.decoded("data", nil, func() {
			w.inner(place, payload, inside, func() { w.typed(media, nil, nil, g) })
		})
	})
	return true
}
