package classify

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"cordon/internal/exposure"
	"cordon/internal/wire/media"
)

// base64Of gives the coding in which a text is written: standard or URL-safe,
// with padding or without (RFC 4648); nil when it is in none.
func base64Of(text string) *base64.Encoding {
	if len(text) < 4 {
		return nil
	}
	body := strings.TrimRight(text, "=")
	padding := len(text) - len(body)
	url, standard := false, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' || c == '_':
			url = true
		case c == '+' || c == '/':
			standard = true
		default:
			return nil
		}
	}
	switch {
	case url && standard, padding > 2, padding > 0 && len(text)%4 != 0, len(body)%4 == 1:
		return nil
	case url && padding == 0:
		return base64.RawURLEncoding
	case url:
		return base64.URLEncoding
	case padding == 0 && len(body)%4 != 0:
		return base64.RawStdEncoding
	default:
		return base64.StdEncoding
	}
}

// unbase64 decodes a text that is in base64 as a whole. Line breaks, which MIME
// and some libraries put in, are allowed and would be lost in writing it again,
// so that such a text is only read.
func unbase64(text string) (decoded string, ok bool) {
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "\r\n") {
		text = strings.NewReplacer("\r", "", "\n", "").Replace(text)
	}
	coding := base64Of(text)
	if coding == nil {
		return "", false
	}
	b, err := coding.DecodeString(text)
	return string(b), err == nil
}

// rebase64 writes a text as raw was written.
func rebase64(text, raw string) string {
	trimmed := strings.TrimSpace(raw)
	coding := base64Of(strings.NewReplacer("\r", "", "\n", "").Replace(trimmed))
	if coding == nil {
		coding = base64.StdEncoding
	}
	if strings.ContainsAny(raw, "-_") && !strings.HasSuffix(trimmed, "=") {
		coding = base64.RawURLEncoding
	}
	return coding.EncodeToString([]byte(text))
}

func looksBase64(text string) bool {
	return base64Of(strings.NewReplacer("\r", "", "\n", "").Replace(strings.TrimSpace(text))) != nil
}

// base64 reads the whole of a layer as base64; the text inside is a value of
// its own, which further decoders may read.
func (w *walk) base64(n *node, l *leaf, g int32) {
	text, ok := unbase64(w.s)
	if !ok {
		w.flag(exposure.IncompleteSyntax)
		w.whole(n, l, g)
		return
	}
	if n != nil && n.subject > rootSubject {
		g = w.open(n.subject, g)
	}
	if n != nil && n.leaf != nil {
		l = n.leaf
	}
	w.inner(position{enc: base64Text, member: -1}, w.s, text, func() { w.whole(n, l, g) })
}

// whole takes the text of a layer as one value.
func (w *walk) whole(n *node, l *leaf, g int32) {
	if w.s == "" {
		return
	}
	at := position{enc: wholeText, member: -1}
	if w.opened(n, l, g, at, w.s) {
		return
	}
	if l != nil && !l.none && !utf8.ValidString(w.s) {
		w.flag(exposure.IncompleteUTF8)
	}
	w.found(l, g, at, w.s)
}

// readable reports whether a text is one that people or programs write: UTF-8
// without control characters but for line ends and tabs.
func readable(text string) bool {
	if text == "" || !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f || !unicode.IsPrint(r) && !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// beginsReadable looks at the first twelve bytes of what is in base64, to spare
// ids and hashes the decoding of the rest: they are text, or an image's.
func beginsReadable(text string) bool {
	var head [minBase64]byte
	for i := range head {
		switch c := text[i]; c {
		case '-':
			head[i] = '+'
		case '_':
			head[i] = '/'
		default:
			head[i] = c
		}
	}
	var b [minBase64]byte
	n, _ := base64.StdEncoding.Decode(b[:], head[:])
	binary := false
	for _, c := range b[:n] {
		binary = binary || c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f
	}
	return !binary || media.Type(string(b[:n])) != "" || mediaSigns[b[0]]
}

// mediaSigns are the first bytes of pictures and films.
var mediaSigns = map[byte]bool{0xff: true, 0x89: true, 'G': true, 'R': true, 'I': true, 'M': true, 0: true}
