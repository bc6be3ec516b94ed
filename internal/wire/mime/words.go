package mime

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// decodeWords decodes the encoded words (RFC 2047) in a text. The blanks between
// two of them are dropped, and a character that a mailer cut in two is whole
// again. False: one of them is broken, and stands as it was.
func decodeWords(s string) (string, bool) {
	if !strings.Contains(s, "=?") {
		return s, true
	}
	var out strings.Builder
	var bytes strings.Builder // decoded so far of adjacent words
	var of string             // their charset
	ok, adjacent := true, false
	flush := func() {
		value, whole := charsetOf(of).decode(bytes.String())
		out.WriteString(value)
		bytes.Reset()
		ok, adjacent = ok && whole, false
	}
	for {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		w, size := encodedWord(s[i:])
		if size == unended {
			break
		}
		if size == 0 {
			flush()
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		switch between := s[:i]; {
		case !adjacent || strings.Trim(between, " \t\r\n") != "":
			flush()
			out.WriteString(between)
		case !strings.EqualFold(of, w.charset):
			flush()
		}
		more, whole := w.bytes()
		bytes.WriteString(more)
		of = w.charset
		ok, adjacent = ok && whole, true
		s = s[i+size:]
	}
	flush()
	out.WriteString(s)
	return out.String(), ok
}

// word is one encoded word.
type word struct {
	charset, text string
	base64        bool
}

// unended is the size of a word that has no end, so that none behind it has.
const unended = -1

// encodedWord reads the encoded word that s begins with; size 0: none. RFC 2047
// section 2 allows 75 characters; mailers write more, and others read them.
func encodedWord(s string) (w word, size int) {
	const longest = 64 // name of a character set
	i := strings.IndexByte(s[2:min(len(s), 2+longest)], '?')
	if i < 1 || 2+i+2 >= len(s) || s[2+i+2] != '?' || strings.ContainsAny(s[2:2+i], " \t\r\n<>@,\"") {
		return w, 0
	}
	switch s[2+i+1] {
	case 'B', 'b':
		w.base64 = true
	case 'Q', 'q':
	default:
		return w, 0
	}
	if w.charset, _, _ = strings.Cut(s[2:2+i], "*"); w.charset == "" { // RFC 2231: a language behind an asterisk
		return w, 0
	}
	body := 2 + i + 3
	end := strings.Index(s[body:], "?=")
	if end < 0 {
		return w, unended
	}
	w.text = s[body : body+end]
	return w, body + end + 2
}

func (w word) bytes() (string, bool) {
	if w.base64 {
		return decodeBase64(w.text)
	}
	var b strings.Builder
	ok := true
	for i := 0; i < len(w.text); i++ {
		switch c := w.text[i]; {
		case c == '_':
			b.WriteByte(' ')
		case c != '=':
			b.WriteByte(c)
		default:
			v, hex := unhex(w.text, i+1)
			if !hex {
				ok = false
				b.WriteByte(c)
				continue
			}
			b.WriteByte(v)
			i += 2
		}
	}
	return b.String(), ok
}

func unhex(s string, at int) (byte, bool) {
	if at+2 > len(s) {
		return 0, false
	}
	var v byte
	for _, c := range []byte(s[at : at+2]) {
		switch {
		case '0' <= c && c <= '9':
			v = v<<4 | (c - '0')
		case 'A' <= c && c <= 'F':
			v = v<<4 | (c - 'A' + 10)
		case 'a' <= c && c <= 'f':
			v = v<<4 | (c - 'a' + 10)
		default:
			return 0, false
		}
	}
	return v, true
}

// encodeWords writes a text as encoded words of at most 75 characters, with
// between between them. What may stand in a phrase may stand everywhere, so its
// narrow set of characters is used.
func encodeWords(s, between string) string {
	plain := 0
	for i := 0; i < len(s); i++ {
		if phraseByte(s[i]) {
			plain++
		}
	}
	quoted := plain*3 >= len(s)*2
	const room = 75 - len("=?utf-8?q??=")
	var words []string
	for s != "" {
		var b strings.Builder
		used, size := 0, 0
		for used < len(s) {
			_, n := utf8.DecodeRuneInString(s[used:])
			cost := 0
			for _, c := range []byte(s[used : used+n]) {
				if cost += 3; quoted && (phraseByte(c) || c == ' ') {
					cost -= 2
				}
			}
			if !quoted {
				cost = base64.StdEncoding.EncodedLen(used+n) - size
			}
			if size+cost > room {
				break
			}
			size += cost
			used += n
		}
		if quoted {
			writeQ(&b, s[:used])
		} else {
			b.WriteString("=?utf-8?b?")
			b.WriteString(base64.StdEncoding.EncodeToString([]byte(s[:used])))
		}
		b.WriteString("?=")
		words = append(words, b.String())
		s = s[used:]
	}
	return strings.Join(words, between)
}

func writeQ(b *strings.Builder, s string) {
	b.WriteString("=?utf-8?q?")
	for _, c := range []byte(s) {
		switch {
		case c == ' ':
			b.WriteByte('_')
		case phraseByte(c):
			b.WriteByte(c)
		default:
			b.WriteByte('=')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		}
	}
}

const hexDigits = "0123456789ABCDEF"

// phraseByte: RFC 2047 section 5 (3).
func phraseByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!*+-/", c) >= 0
}
