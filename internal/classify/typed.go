package classify

import (
	"strings"

	"cordon/internal/wire/media"
)

// typedValue takes a value of which is known what kind of document it is: a
// file, a part of a mail. A file that a mapping calls something, and into which
// it does not look, is one value.
func (w *walk) typedValue(mediaType, name string, n *node, l *leaf, g int32, at position, value string) {
	if l != nil && (n == nil || !n.opens) {
		w.file(l, g, at, value)
		return
	}
	t := typeOf(mediaType, name)
	if !opens(t, value) {
		if readable(value) {
			if !w.opened(n, l, g, at, value) {
				w.found(l, g, at, value)
			}
			return
		}
		w.unread(l, g, at, value)
		return
	}
	if !w.deeper() {
		w.found(l, g, at, value)
		return
	}
	w.nested++
	w.inner(at, value, value, func() { w.typed(t, n, l, g) })
	w.nested--
}

// file takes a file as one value; of a picture, what it says of people besides
// the picture is taken as well.
func (w *walk) file(l *leaf, g int32, at position, value string) {
	host := len(w.f.fields)
	switch {
	case media.Type(value) == "" && !readable(value):
		w.unread(l, g, at, value)
		return
	case media.Type(value) == "":
		w.found(l, g, at, value)
		return
	}
	w.found(l, g, at, value)
	if w.stopped || l != nil && l.none || w.nested == maxNested {
		return
	}
	w.nested++
	w.inner(at, value, value, func() { w.media(nil, g) })
	w.nested--
	for i := host + 1; i < len(w.f.fields); i++ {
		w.f.fields[i].marks |= derived
		w.f.fields[i].host = int32(host)
	}
}

// typed reads the whole of a layer as a media type.
func (w *walk) typed(mediaType string, n *node, l *leaf, g int32) {
	if n != nil && n.leaf != nil {
		l = n.leaf
	}
	d := declared(mediaTypeName(mediaType))
	switch {
	case w.s == "":
	case media.Type(w.s) != "":
		w.file(l, g, position{enc: wholeText, member: -1}, w.s)
	case d != nil:
		d.read(w, n, l, g, mediaType)
	case readable(w.s):
		w.whole(n, l, g)
	default:
		w.unread(l, g, position{enc: wholeText, member: -1}, w.s)
	}
}

// media reads what a picture or film says of people besides the picture.
func (w *walk) media(n *node, g int32) { w.tell(n, nil, g, media.Read) }

// opens reports whether a value of this type is looked into.
func opens(mediaType, value string) bool {
	return media.Type(value) != "" || declared(mediaTypeName(mediaType)) != nil
}

func mediaTypeName(contentType string) string {
	t, _ := mediaType(contentType)
	return t
}

// typeOf is the type of a file, by its name where the type says nothing.
func typeOf(mediaType, name string) string {
	switch mediaTypeName(mediaType) {
	case "application/octet-stream", "text/plain", "application/vnd.ms-excel", "":
		ends := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
		if t := byEnding[ends]; t != "" {
			return t
		}
	}
	return mediaType
}

var byEnding = map[string]string{
	"csv": "text/csv", "tsv": "text/csv", "json": "application/json", "xml": "application/xml",
	"ndjson": "application/x-ndjson", "jsonl": "application/x-ndjson", "eml": "message/rfc822",
}
