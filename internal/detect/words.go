package detect

import (
	"unicode"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/text/unicode/norm"
)

const maxWord = 64

// Words calls f with every word of text in order: a run of letters and digits in
// lower case and without diacritics, and where in the text it stands. The word
// is only valid during the call. f returning false ends it. What is longer than
// 64 bytes is cut there: nobody's name is.
func Words(text string, f func(word string, start, end int) bool) {
	var buf [maxWord + 8]byte
	n, start := 0, -1
	flush := func(end int) bool {
		if start < 0 {
			return true
		}
		more := true
		if n > 0 {
			// The buffer is not written to before the call returns.
			more = f(unsafe.String(&buf[0], min(n, maxWord)), start, end)
		}
		n, start = 0, -1
		return more
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if class[c]&(letter|digitClass) == 0 {
				if start >= 0 && !flush(i) {
					return
				}
				i++
				continue
			}
			if start < 0 {
				start = i
			}
			if n < maxWord {
				if c-'A' < 26 {
					c |= 0x20
				}
				buf[n] = c
				n++
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			if start >= 0 && !flush(i) {
				return
			}
			i += size
			continue
		}
		if start < 0 {
			start = i
		}
		if n < maxWord {
			n += fold(buf[n:], r)
		}
		i += size
	}
	flush(len(text))
}

// plainLetters are letters that have no decomposition, as people write them
// where the letter is missing.
var plainLetters = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'ø': "o", 'Ø': "o", 'ł': "l", 'Ł': "l", 'đ': "d", 'Đ': "d", 'ð': "d", 'Ð': "d",
	'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'þ': "th", 'Þ': "th", 'ı': "i", 'ħ': "h", 'Ħ': "h", 'ŋ': "n", 'Ŋ': "n",
}

// fold writes a letter in lower case and without diacritics to dst, which has
// room for 8 bytes, and returns how many it wrote: none for a mark.
func fold(dst []byte, r rune) int {
	if s, ok := plainLetters[r]; ok {
		return copy(dst, s)
	}
	var in [utf8.UTFMax]byte
	size := utf8.EncodeRune(in[:], r)
	if d := norm.NFKD.Properties(in[:size]).Decomposition(); d != nil && r < 0x1100 {
		r, _ = utf8.DecodeRune(d)
	}
	if unicode.IsMark(r) {
		return 0
	}
	r = unicode.ToLower(r)
	return utf8.EncodeRune(dst[:8], r)
}
