package mime

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
)

// charset is how characters are written as bytes. ASCII is taken as UTF-8, in
// which its eighth bit is least likely to be something else.
type charset struct {
	encoding encoding.Encoding // nil: UTF-8
	unknown  bool
	binary   bool // no characters at all
}

var (
	utf8Charset   = charset{}
	binaryCharset = charset{binary: true}
)

func charsetOf(name string) charset {
	name = strings.ToLower(strings.TrimSpace(name))
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "ansi_x3.4-1968":
		return utf8Charset
	case "utf-16": // RFC 2781: without a mark it is big-endian; the WHATWG says otherwise
		return charset{encoding: unicode.UTF16(unicode.BigEndian, unicode.UseBOM)}
	}
	e, err := htmlindex.Get(name)
	if canonical, _ := htmlindex.Name(e); err != nil || canonical == "replacement" || canonical == "x-user-defined" {
		e, err = ianaindex.MIME.Encoding(name)
	}
	if err != nil || e == nil {
		return charset{unknown: true}
	}
	return charset{encoding: e}
}

// decode reads bytes as characters; false where some are not of the charset.
func (c charset) decode(bytes string) (string, bool) {
	switch {
	case c.binary:
		return bytes, true
	case c.unknown:
		return strings.ToValidUTF8(bytes, "\ufffd"), false
	case c.encoding == nil:
		return bytes, utf8.ValidString(bytes)
	}
	value, err := c.encoding.NewDecoder().String(bytes)
	return value, err == nil && !strings.ContainsRune(value, utf8.RuneError)
}

// encode writes characters as bytes; false where the charset lacks one.
func (c charset) encode(value string) (string, bool) {
	switch {
	case c.binary:
		return value, true
	case c.unknown:
		return "", false
	case c.encoding == nil:
		return value, utf8.ValidString(value)
	}
	bytes, err := c.encoding.NewEncoder().String(value)
	if err != nil {
		return "", false
	}
	again, ok := c.decode(bytes)
	return bytes, ok && again == value
}
