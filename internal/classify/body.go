package classify

import (
	"strings"

	"cordon/internal/exposure"
)

// decoder reads one kind of body. A further kind (newline-delimited JSON, XML,
// MIME ...) is one more row of decoders.
type decoder struct {
	// takes reports whether a media type, in lower case and without parameters,
	// is of this kind.
	takes func(mediaType string) bool
	// looks reports whether a body without a type looks like this kind.
	looks func(body string) bool
	// read walks over w.s[from:to] and reports its leaves. contentType is the
	// whole header, for its parameters.
	read func(w *walk, n *node, g int32, from, to int, contentType string)
}

var decoders []*decoder

func init() { // a part of a multipart body is decoded by the same table
	decoders = []*decoder{
		{takes: isJSON, looks: looksJSON, read: func(w *walk, n *node, g int32, from, to int, _ string) {
			w.json(n, g, from, to)
		}},
		{takes: isForm, looks: looksForm, read: func(w *walk, n *node, g int32, from, to int, _ string) {
			w.form(n, g, from, to)
		}},
		{takes: isMultipart, looks: looksMultipart, read: (*walk).multipart},
	}
}

func isJSON(t string) bool {
	return t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json")
}

func isForm(t string) bool { return t == "application/x-www-form-urlencoded" }

func isMultipart(t string) bool { return t == "multipart/form-data" }

// saysNothing are types that clients send when they do not say what they send.
func saysNothing(t string) bool { return t == "" || t == "text/plain" }

func declared(mediaType string) *decoder {
	for _, d := range decoders {
		if d.takes(mediaType) {
			return d
		}
	}
	return nil
}

func sniffed(body string) *decoder {
	for _, d := range decoders {
		if d.looks(body) {
			return d
		}
	}
	return nil
}

func looksJSON(body string) bool {
	body = strings.TrimLeft(strings.TrimPrefix(body, "\ufeff"), " \t\r\n")
	return body != "" && (body[0] == '{' || body[0] == '[')
}

// looksForm wants a plausible key and an equals sign.
func looksForm(body string) bool {
	for i := 0; i < len(body) && i < 256; i++ {
		switch c := body[i]; {
		case c == '=':
			return i > 0
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("_-.[]%+*~$@", c) >= 0 && !(c == '-' && i == 0):
		default:
			return false
		}
	}
	return false
}

func looksMultipart(body string) bool {
	if !strings.HasPrefix(body, "--") {
		return false
	}
	head := strings.ToLower(body[:min(len(body), 1024)])
	return strings.Contains(head, "\ncontent-disposition:")
}

// content reads the body.
func (f *Findings) content(w *walk) {
	m := f.message
	body := m.Body
	if m.TooLarge || len(body) > maxBody {
		w.flag(exposure.IncompleteTooLarge)
		f.partial = true
		body = body[:min(len(body), maxBody)]
	}
	if len(body) == 0 {
		return
	}
	readable := f.decompress(w, body)
	w.begin(inBody, f.body)
	if f.body == "" {
		return
	}
	var d *decoder
	types := m.Header["Content-Type"]
	contentType := ""
	if len(types) > 0 {
		contentType = types[0]
	}
	if readable {
		d = f.choose(w, contentType)
	}
	for _, t := range types {
		if t != contentType { // which of them does the vendor believe?
			w.flag(exposure.IncompleteContentTypeLies)
		}
	}
	if d == nil {
		// Nothing can be told apart: the body is one leaf.
		w.found(f.tries.body.leaf, 0, spot{src: inBody, enc: wholeText, member: -1}, f.body)
		return
	}
	d.read(w, f.tries.body, 0, 0, len(f.body), contentType)
}

// choose finds the decoder, nil for none. A body that is plainly something else
// than its type says is read as what it is: the vendor may do so too.
func (f *Findings) choose(w *walk, contentType string) *decoder {
	t, params := mediaType(contentType)
	if !utf8Charset(params) {
		w.flag(exposure.IncompleteContentType)
	}
	d, looks := declared(t), sniffed(f.body)
	switch {
	case d == nil && saysNothing(t) && looks != nil && looks.takes("application/json"):
	case d == nil:
		w.flag(exposure.IncompleteContentType)
	case looks == d:
	case looks != nil:
		w.flag(exposure.IncompleteContentTypeLies)
	case strings.HasPrefix(strings.TrimLeft(f.body, " \t\r\n"), "<"):
		w.flag(exposure.IncompleteContentTypeLies)
		return nil
	default:
		return d
	}
	return looks
}

// mediaType cuts a Content-Type into its type, in lower case, and parameters.
func mediaType(contentType string) (t, params string) {
	t, params, _ = strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t)), params
}

// utf8Charset reports whether parameters leave the text in UTF-8. In any other
// charset the same bytes would be other names.
func utf8Charset(params string) bool {
	for part := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(part, "=")
		if strings.EqualFold(strings.TrimSpace(name), "charset") {
			switch strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`)) {
			case "utf-8", "utf8", "us-ascii", "":
			default:
				return false
			}
		}
	}
	return true
}
