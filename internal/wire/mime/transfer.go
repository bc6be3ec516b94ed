package mime

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// transfer is a Content-Transfer-Encoding (RFC 2045 section 6).
type transfer uint8

const (
	asIs transfer = iota // 7bit, 8bit, binary
	quotedPrintable
	inBase64
	unknownTransfer
)

func transferOf(name string) transfer {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "", "7bit", "8bit", "binary":
		return asIs
	case "quoted-printable":
		return quotedPrintable
	case "base64":
		return inBase64
	}
	return unknownTransfer
}

// body is how the body of a part is written.
type body struct {
	transfer   transfer
	charset    charset
	eol        string
	boundaries []string // a line that begins with one of these would end the part
}

func (c *body) Decode(raw string) (string, bool) {
	bytes, ok := raw, true
	switch c.transfer {
	case quotedPrintable:
		bytes, ok = decodeQP(raw)
	case inBase64:
		bytes, ok = decodeBase64(raw)
	case unknownTransfer:
		ok = false
	}
	value, whole := c.charset.decode(bytes)
	return value, ok && whole
}

func (c *body) Encode(value, raw string) (string, bool) {
	if was, _ := c.Decode(raw); was == value {
		return raw, true
	}
	bytes, ok := c.charset.encode(value)
	if !ok {
		return "", false
	}
	switch c.transfer {
	case quotedPrintable:
		return c.encodeQP(bytes, raw), true
	case inBase64:
		return encodeBase64(bytes, raw, c.eol), true
	case asIs:
		return bytes, !c.delimits(bytes) && (ascii(bytes) || !ascii(raw)) && strings.IndexByte(bytes, 0) < 0
	}
	return "", false
}

// delimits reports a line that might be read as a delimiter.
func (c *body) delimits(bytes string) bool {
	for at := 0; at < len(bytes); {
		line := bytes[at:]
		if strings.HasPrefix(line, "--") {
			for _, b := range c.boundaries {
				if strings.HasPrefix(line[2:], b) {
					return true
				}
			}
		}
		i := strings.IndexAny(line, "\r\n")
		if i < 0 {
			return false
		}
		at += i + 1
	}
	return false
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// printable reports text without control characters, tabs apart.
func printable(s string) bool {
	for _, r := range s {
		if r < ' ' && r != '\t' || r == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

// decodeBase64 decodes as much as can be. False: there are characters that do
// not belong, or the padding is missing or followed by more; programs stop,
// skip or go on there.
func decodeBase64(raw string) (string, bool) {
	packed := raw
	if strings.ContainsAny(raw, " \t") { // line ends it skips itself
		packed = strings.NewReplacer(" ", "", "\t", "").Replace(raw)
	}
	if bytes, err := base64.StdEncoding.Strict().DecodeString(packed); err == nil {
		return string(bytes), true
	}
	var out []byte
	for part := range strings.SplitSeq(packed, "=") {
		part = strings.Map(func(r rune) rune {
			if r < utf8.RuneSelf && (phraseByte(byte(r)) && r != '!' && r != '*' && r != '-') {
				return r
			}
			return -1
		}, part)
		if n := len(part) % 4; n == 1 {
			part = part[:len(part)-1]
		}
		bytes, _ := base64.RawStdEncoding.DecodeString(part)
		out = append(out, bytes...)
	}
	return string(out), false
}

// encodeBase64 wraps lines as raw did.
func encodeBase64(bytes, raw, eol string) string {
	width := strings.IndexAny(raw, "\r\n")
	if width < 4 {
		width = 76
	}
	all := base64.StdEncoding.EncodeToString([]byte(bytes))
	var b strings.Builder
	b.Grow(len(all) + len(all)/width*2)
	for len(all) > width {
		b.WriteString(all[:width])
		b.WriteString(eol)
		all = all[width:]
	}
	b.WriteString(all)
	b.WriteString(raw[len(strings.TrimRight(raw, " \t\r\n")):])
	return b.String()
}
