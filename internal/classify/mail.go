package classify

import (
	"strings"

	"cordon/internal/wire"
	"cordon/internal/wire/mime"
)

// mail reads a mail, or a body whose type is that of a mail of several parts:
// such a body lacks the header that says where its parts begin.
func (w *walk) mail(n *node, l *leaf, g int32, contentType string) {
	if !strings.HasPrefix(mediaTypeName(contentType), "multipart/") {
		w.tell(n, l, g, mime.Read)
		return
	}
	header := "Content-Type: " + contentType + "\r\n\r\n"
	d := document{w: w, at: cursor{node: n, leaf: l, group: g}, prefix: len(header)}
	d.read(header+w.s, mime.Read)
}

// addresses reads a list of mailboxes (RFC 5322 section 3.4).
func (w *walk) addresses(n *node, l *leaf, g int32) {
	w.tell(n, l, g, func(text string, v wire.Visitor) { mime.ReadAddresses(text, v) })
}
