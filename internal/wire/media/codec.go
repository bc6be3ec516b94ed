package media

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"cordon/internal/wire"
)

func bigEndian(s string) (n uint64) {
	for i := 0; i < len(s); i++ {
		n = n<<8 | uint64(s[i])
	}
	return n
}

func littleEndian(s string) (n uint64) {
	for i := len(s) - 1; i >= 0; i-- {
		n = n<<8 | uint64(s[i])
	}
	return n
}

// order is the order of the bytes of a number.
type order struct{ big bool }

func (o order) number(s string) uint64 {
	if o.big {
		return bigEndian(s)
	}
	return littleEndian(s)
}

// append32 is number backwards, for 32 bits.
func (o order) append32(b []byte, n uint64) []byte {
	if o.big {
		return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
}

// fixed is text in a place of fixed length.
type fixed struct{ pad byte }

// Decode reads UTF-8, and what is not UTF-8 as Latin-1, which it then is most
// often.
func (fixed) Decode(raw string) (string, bool) { return latin(strings.Trim(raw, "\x00 \r\n\t")), true }

func latin(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func (c fixed) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	return c.padded(value, len(raw))
}

func (c fixed) padded(value string, size int) (string, bool) {
	if len(value) > size || !utf8.ValidString(value) || strings.Trim(value, "\x00 \r\n\t") != value || strings.IndexByte(value, 0) >= 0 {
		return "", false
	}
	return value + strings.Repeat(string(rune(c.pad)), size-len(value)), true
}

// wide is text in UTF-16 in a place of fixed length, as Windows writes it.
type wide struct{ order }

func (c wide) Decode(raw string) (string, bool) {
	var units []uint16
	for ; len(raw) >= 2; raw = raw[2:] {
		units = append(units, uint16(c.number(raw[:2])))
	}
	return strings.Trim(string(utf16.Decode(units)), "\x00 \r\n\t\ufeff"), true
}

func (c wide) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	if !utf8.ValidString(value) {
		return "", false
	}
	var b []byte
	for _, u := range utf16.Encode([]rune(value)) {
		if c.big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	if len(b) > len(raw) {
		return "", false
	}
	written := string(b) + strings.Repeat("\x00", len(raw)-len(b))
	again, _ := c.Decode(written)
	return written, again == value
}

// blob is bytes that are not read; they can be blanked.
type blob struct{}

func (blob) Decode(raw string) (string, bool) { return raw, true }
func (blob) Encode(value, raw string) (string, bool) {
	if value == "" {
		return strings.Repeat("\x00", len(raw)), true
	}
	return value, value == raw
}

// frozen is a value under a checksum, which cannot change.
type frozen struct{ wire.Codec }

func (c frozen) Encode(value, raw string) (string, bool) {
	was, _ := c.Decode(raw)
	return raw, was == value
}

// padded is a value whose new form is padded with blanks to the old length.
type padded struct{ wire.Codec }

func (c padded) Decode(raw string) (string, bool) {
	value, ok := c.Codec.Decode(raw)
	return strings.Trim(value, " "), ok
}

func (c padded) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	written, ok := c.Codec.Encode(value, "")
	if !ok || len(written) > len(raw) {
		return "", false
	}
	written += strings.Repeat(" ", len(raw)-len(written))
	again, whole := c.Decode(written)
	return written, whole && again == value
}
