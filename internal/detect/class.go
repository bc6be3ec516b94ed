package detect

import (
	"unicode"
	"unicode/utf8"
)

// Classes of ASCII bytes.
const (
	digitClass uint8 = 1 << iota
	letter
	underscore
	hex
	local  // of an address's local part, as people's and companies' addresses have it
	domain // of a host name
)

var class = func() (t [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		t[c] = digitClass | hex | local | domain
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] = letter | local | domain
		t[c-0x20] = letter | local | domain
	}
	for _, c := range "abcdefABCDEF" {
		t[c] |= hex
	}
	t['_'] = underscore | local | domain
	t['-'] = local | domain
	t['.'] = local | domain
	for _, c := range "+%'" {
		t[c] = local
	}
	return t
}()

func isDigit(c byte) bool  { return c-'0' < 10 }
func isLetter(c byte) bool { return (c|0x20)-'a' < 26 }
func isWord(c byte) bool   { return class[c]&(digitClass|letter|underscore) != 0 }

// unspaced reports whether a script is written without blanks between words, so
// that a number or an address stands right behind one.
func unspaced(r rune) bool {
	return r >= 0x0E00 && r < 0x0EC0 || r >= 0x2E80 && r < 0xD7B0 || r >= 0xF900 && r < 0xFB00 || r >= 0xFF00 && r < 0xFFF0 || r >= 0x20000
}

// joins reports whether the character that s ends with continues a word.
func joins(s string) bool {
	if s == "" {
		return false
	}
	if c := s[len(s)-1]; c < utf8.RuneSelf {
		return isWord(c)
	}
	r, _ := utf8.DecodeLastRuneInString(s)
	return !unspaced(r) && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// continues reports whether the character that s begins with continues a word.
func continues(s string) bool {
	if s == "" {
		return false
	}
	if c := s[0]; c < utf8.RuneSelf {
		return isWord(c)
	}
	r, _ := utf8.DecodeRuneInString(s)
	return !unspaced(r) && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
