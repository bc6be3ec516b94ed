package classify

import (
	"strings"

	"cordon/internal/exposure"
	"cordon/internal/wire/media"
)

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
	switch {
	case m.Method == "SMTP":
		d, contentType = declared("message/rfc822"), "message/rfc822"
	case readable:
		d = f.choose(w, contentType)
	}
	for _, t := range types {
		if t != contentType { // which of them does the vendor believe?
			w.flag(exposure.IncompleteContentTypeLies)
		}
	}
	if d == nil {
		// Nothing can be told apart: the body is one leaf.
		if l, at := f.tries.body.leaf, (position{enc: wholeText, member: -1}); readable {
			w.found(l, 0, at, f.body)
		} else {
			w.unread(l, 0, at, f.body)
		}
		return
	}
	d.read(w, f.tries.body, f.tries.body.leaf, 0, contentType)
}

// choose finds the decoder, nil for none. A body that is plainly something else
// than its type says is read as what it is: the vendor may do so too.
func (f *Findings) choose(w *walk, contentType string) *decoder {
	t, params := mediaType(contentType)
	if !utf8Charset(params) {
		w.flag(exposure.IncompleteContentType)
	}
	if isJSON(t) && looksJSON(f.body) { // as almost all of them are
		return declared(t)
	}
	if media.Type(f.body) != "" {
		if !isMedia(t) && t != "" && t != "application/octet-stream" {
			w.flag(exposure.IncompleteContentTypeLies)
		}
		return pictures
	}
	d, looks := declared(t), sniffed(f.body)
	switch {
	case d == nil && saysNothing(t) && looks != nil && looks.untyped:
		return looks
	case d == nil && looks == nil && t == "text/plain" && !f.tries.body.named() && f.tries.body.elem == nil && readable(f.body):
		return nil // a text, and read as one: nothing else was expected here
	case d == nil:
		w.flag(exposure.IncompleteContentType)
		if looks != nil && looks.takes("text/xml") && !saysNothing(t) {
			return nil // a page of HTML, most likely
		}
		return looks
	case looks == d, d.looks == nil:
		return d
	case d.untyped && looks != nil && looks.untyped:
		return d // all of them are JSON; what does not fit the type is broken
	case looks != nil:
		w.flag(exposure.IncompleteContentTypeLies)
		return looks
	default:
		return d
	}
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
