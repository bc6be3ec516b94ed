package classify

import (
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Classes of bytes inside a JSON string (RFC 8259 section 7).
const (
	plain = iota
	quote
	backslash
	control
	beyondASCII
)

var class = func() (t [256]uint8) {
	for b := range t {
		switch {
		case b == '"':
			t[b] = quote
		case b == '\\':
			t[b] = backslash
		case b < 0x20:
			t[b] = control
		case b >= utf8.RuneSelf:
			t[b] = beyondASCII
		}
	}
	return t
}()

// stringDefects says what is wrong with a JSON string.
type stringDefects struct {
	syntax, utf8, open bool
}

// scanString finds the end of the JSON string whose opening quote is at
// s[start]. It returns the position after the closing quote and whether the
// string holds escapes. Defects never stop it: what can be read is read.
func scanString(s string, start int) (end int, escaped bool, d stringDefects) {
	i, wide := start+1, false
	for i < len(s) {
		// Eight bytes at once, as long as none of them is special: the usual
		// zero-byte test, for '"', for '\', for control characters and for the
		// high bit.
		for i+8 <= len(s) {
			b := s[i : i+8]
			x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
				uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
			q, e := x^(ones*'"'), x^(ones*'\\')
			if special := ((q-ones)&^q | (e-ones)&^e | (x-ones*0x20)&^x | x) & (ones * 0x80); special != 0 {
				// A borrow makes false marks only above a true one, so the lowest is true.
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		if i >= len(s) {
			break
		}
		switch class[s[i]] {
		case plain:
			i++
		case quote:
			if wide && !utf8.ValidString(s[start+1:i]) {
				d.utf8 = true
			}
			return i + 1, escaped, d
		case beyondASCII:
			wide = true
			for i++; i < len(s) && s[i] >= utf8.RuneSelf; i++ {
			}
		case control:
			d.syntax = true
			i++
		case backslash:
			escaped = true
			n, _, ok, lone := unescapeAt(s, i)
			d.syntax = d.syntax || !ok
			d.utf8 = d.utf8 || lone
			i += n
		}
	}
	d.open = true
	return len(s), escaped, d
}

const ones = 0x0101010101010101

// unescapeAt reads the escape at s[i]: its length, its character, whether it
// is one that JSON knows, and whether it is half of a surrogate pair alone,
// which parsers read in different ways.
func unescapeAt(s string, i int) (n int, r rune, ok, lone bool) {
	if i+1 >= len(s) {
		return 1, '\\', false, false
	}
	switch c := s[i+1]; c {
	case '"', '\\', '/':
		return 2, rune(c), true, false
	case 'b':
		return 2, '\b', true, false
	case 'f':
		return 2, '\f', true, false
	case 'n':
		return 2, '\n', true, false
	case 'r':
		return 2, '\r', true, false
	case 't':
		return 2, '\t', true, false
	case 'u':
		r, ok := hex4(s, i+2)
		if !ok {
			return 2, 'u', false, false
		}
		if !utf16.IsSurrogate(r) {
			return 6, r, true, false
		}
		if strings.HasPrefix(s[i+6:], `\u`) {
			if low, ok := hex4(s, i+8); ok {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					return 12, pair, true, false
				}
			}
		}
		return 6, utf8.RuneError, true, true
	default:
		return 1, '\\', false, false
	}
}

func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		v, ok := unhex(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(v)
	}
	return r, true
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// unescape decodes what stands between the quotes of a JSON string.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := appendUnescaped(make([]byte, 0, len(s)), s)
	return unsafe.String(unsafe.SliceData(b), len(b)) // nobody else has b
}

// simpleEscapes are the escapes of two characters, 0 for all others.
var simpleEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func appendUnescaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		next := strings.IndexByte(s[i:], '\\')
		if next < 0 {
			return append(dst, s[i:]...)
		}
		dst = append(dst, s[i:i+next]...)
		if i += next; i+1 < len(s) {
			if c := simpleEscapes[s[i+1]]; c != 0 {
				dst = append(dst, c)
				i += 2
				continue
			}
		}
		n, r, _, _ := unescapeAt(s, i)
		dst = utf8.AppendRune(dst, r)
		i += n
	}
	return dst
}

// escaped writes v as the inside of a JSON string.
func escaped(v string) string {
	for i := 0; i < len(v); i++ {
		if class[v[i]] != plain {
			return string(appendEscaped(make([]byte, 0, len(v)+16), v))
		}
	}
	return v
}

// appendEscaped writes v as the inside of a JSON string. What is not UTF-8 is
// replaced, as a JSON document could not hold it.
func appendEscaped(dst []byte, v string) []byte {
	const hex = "0123456789abcdef"
	for _, r := range v { // an invalid byte is U+FFFD here
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

// percentDecode decodes %XX, and plus as a blank where form says so. It
// reports whether every percent sign was followed by two hex digits.
func percentDecode(s string, form bool) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && !(form && strings.IndexByte(s, '+') >= 0) {
		return s, true
	}
	var b strings.Builder
	b.Grow(len(s))
	clean := true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+' && form:
			b.WriteByte(' ')
		case c == '%':
			if i+2 < len(s) {
				hi, ok1 := unhex(s[i+1])
				lo, ok2 := unhex(s[i+2])
				if ok1 && ok2 {
					b.WriteByte(hi<<4 | lo)
					i += 2
					continue
				}
			}
			clean = false
			b.WriteByte('%')
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), clean
}
