package classify

import (
	"strings"

	"cordon/internal/wire"
	"cordon/internal/wire/envelope"
	"cordon/internal/wire/xml"
)

// decoder reads one kind of document. A further kind is one more row of
// decoders.
type decoder struct {
	// takes reports whether a media type, in lower case and without parameters,
	// is of this kind.
	takes func(mediaType string) bool
	// looks reports whether a body without a type looks like this kind; nil: it
	// is never guessed.
	looks func(body string) bool
	// read walks over the text that the walk stands in. contentType is the whole
	// header, for its parameters.
	read func(w *walk, n *node, l *leaf, g int32, contentType string)
	// untyped: a body that looks like it is read so also without a type. parts:
	// a part of a form may be one. table: its records are people, so a file is
	// looked into without a mapping.
	untyped, parts, table bool
}

var (
	decoders        []*decoder
	documentsOfJSON *decoder
)

func init() { // a part of a multipart body is decoded by the same table
	told := func(read func(string, wire.Visitor)) func(*walk, *node, *leaf, int32, string) {
		return func(w *walk, n *node, l *leaf, g int32, _ string) { w.tell(n, l, g, read) }
	}
	all := func(read func(*walk, *node, *leaf, int32, int, int)) func(*walk, *node, *leaf, int32, string) {
		return func(w *walk, n *node, l *leaf, g int32, _ string) { read(w, n, l, g, 0, len(w.s)) }
	}
	documentsOfJSON = &decoder{takes: isJSON, looks: looksJSON, read: all((*walk).json), untyped: true, parts: true}
	decoders = []*decoder{
		{takes: isOneOf("application/x-sentry-envelope"), looks: looksEnvelope, read: told(envelope.Read), untyped: true},
		{takes: isLines, looks: looksLines, read: all((*walk).lines), untyped: true, parts: true},
		documentsOfJSON,
		{takes: isForm, looks: looksForm, read: all((*walk).form), parts: true},
		{takes: isOneOf("multipart/form-data"), looks: looksMultipart, read: (*walk).multipart},
		{takes: isMailType, read: (*walk).mail, parts: true},
		{takes: isXML, looks: looksXML, read: told(xml.Read), parts: true},
		{takes: isTable, read: (*walk).table, parts: true, table: true},
	}
}

func isOneOf(types ...string) func(string) bool {
	return func(t string) bool {
		for _, one := range types {
			if t == one {
				return true
			}
		}
		return false
	}
}

func isJSON(t string) bool {
	return t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json")
}

func isLines(t string) bool {
	switch t {
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/x-json-stream", "application/json-seq":
		return true
	}
	return false
}

func isForm(t string) bool { return t == "application/x-www-form-urlencoded" }

func isXML(t string) bool {
	return t == "application/xml" || t == "text/xml" || strings.HasSuffix(t, "+xml")
}

func isMailType(t string) bool {
	return t == "message/rfc822" || t == "message/global" || strings.HasPrefix(t, "multipart/") && t != "multipart/form-data"
}

func isTable(t string) bool {
	return t == "text/csv" || t == "application/csv" || t == "text/tab-separated-values"
}

// isMedia are the types of pictures and films.
func isMedia(t string) bool {
	return strings.HasPrefix(t, "image/") || strings.HasPrefix(t, "video/")
}

// pictures reads the bodies of all of them: their first bytes say which it is.
var pictures = &decoder{read: func(w *walk, n *node, l *leaf, g int32, _ string) {
	w.file(l, g, position{enc: wholeText, member: -1}, w.s)
}}

// saysNothing are types that clients send when they do not say what they send.
func saysNothing(t string) bool { return t == "" || t == "text/plain" }

func declared(mediaType string) *decoder {
	if mediaType == "application/json" {
		return documentsOfJSON
	}
	for _, d := range decoders {
		if d.takes(mediaType) {
			return d
		}
	}
	return nil
}

func sniffed(body string) *decoder {
	for _, d := range decoders {
		if d.looks != nil && d.looks(body) {
			return d
		}
	}
	return nil
}

func looksJSON(body string) bool {
	body = strings.TrimLeft(strings.TrimPrefix(body, "\ufeff"), " \t\r\n")
	return body != "" && (body[0] == '{' || body[0] == '[')
}

func looksXML(body string) bool {
	body = strings.TrimLeft(strings.TrimPrefix(body, "\ufeff"), " \t\r\n")
	return strings.HasPrefix(body, "<")
}

// looksEnvelope wants the two lines of JSON that every envelope of Sentry
// begins with: its own header, and one that names the type of the first item.
func looksEnvelope(body string) bool {
	first, rest, several := strings.Cut(body, "\n")
	second, _, _ := strings.Cut(rest, "\n")
	if !several || !oneLine(first) || first[0] != '{' || len(second) > 4096 || !oneLine(second) || !strings.Contains(second, `"type"`) {
		return false
	}
	first = strings.TrimSpace(first)
	for _, key := range []string{`"event_id"`, `"sent_at"`, `"dsn"`, `"sdk"`, `"trace"`} {
		if strings.Contains(first, key) {
			return true
		}
	}
	return first == "{}"
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
