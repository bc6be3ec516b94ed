package mime

import (
	"slices"
	"strings"
)

// addressed are the headers that hold lists of addresses.
var addressed = words(`from sender reply-to to cc bcc resent-from resent-sender resent-to resent-cc resent-bcc resent-reply-to
	return-path delivered-to envelope-to x-envelope-to x-envelope-from x-original-to apparently-to x-forwarded-to
	 disposition-notification-to return-receipt-to errors-to mail-followup-to mail-reply-to x-rcpt-to`)

// headerAddresses is how a header that holds addresses is written. What it
// decodes to is a list again, in UTF-8 and without encoded words.
type headerAddresses headerText

func (headerAddresses) Decode(raw string) (string, bool) {
	s := unfold(raw)
	if !strings.Contains(s, "=?") {
		return s, !hidden(raw)
	}
	ok := !hidden(raw)
	boxes, _ := parseList(s)
	value, done := eachText(s, boxes, func(written string, c codec) (string, bool) {
		if _, is := c.(address); is || !strings.Contains(written, "=?") {
			return written, true
		}
		plain, whole := c.Decode(written)
		ok = ok && whole
		// As if nothing stood there before: without encoded words.
		again, fits := c.Encode(plain, "")
		if !fits {
			return written, true
		}
		return again, true
	})
	return value, ok && done
}

type codec interface {
	Decode(string) (string, bool)
	Encode(string, string) (string, bool)
}

// Encode writes display names and comments that are not ASCII as encoded words
// and domains as DNS does. A list of nobody becomes the group of nobody, since
// a header of addresses must not be empty.
func (h headerAddresses) Encode(value, raw string) (string, bool) {
	if was, _ := h.Decode(raw); was == value {
		return raw, true
	}
	if !printable(value) {
		return "", false // a line end would begin another header
	}
	boxes, _ := parseList(value)
	if strings.Trim(value, " \t") == "" {
		return "undisclosed-recipients:;", true
	}
	eightBit := !ascii(raw)
	value, ok := eachText(value, boxes, func(written string, c codec) (string, bool) {
		if ascii(written) && (!strings.Contains(written, "=?") || c == codec(address{})) {
			return written, true
		}
		if _, is := c.(address); is {
			plain, ok := asciiDomain(written)
			if !ok && eightBit {
				return written, true
			}
			return plain, ok
		}
		plain, ok := c.Decode(written)
		words := encodeWords(plain, " ")
		if _, is := c.(comment); is {
			words = "(" + words + ")"
		}
		return words, ok
	})
	if !ok || !ascii(value) && !eightBit {
		return "", false
	}
	return h.fold(value), true
}

// fold breaks a long list before its mailboxes and its encoded words.
func (h headerAddresses) fold(value string) string {
	if h.column+len(value) <= lineLength {
		return value
	}
	boxes, _ := parseList(value)
	var b strings.Builder
	pos, column := 0, h.column
	for _, m := range boxes {
		if m.start > pos && value[m.start-1] == ' ' && column+m.end-pos > lineLength {
			b.WriteString(value[pos : m.start-1])
			b.WriteString(h.eol + " ")
			pos, column = m.start, 1
		}
	}
	b.WriteString(value[pos:])
	return strings.ReplaceAll(b.String(), "?= =?", "?="+h.eol+" =?")
}

// eachText replaces names, addresses and comments of a list.
func eachText(s string, boxes []mailbox, with func(string, codec) (string, bool)) (string, bool) {
	var b strings.Builder
	pos := 0
	for _, m := range boxes {
		texts := []text{{m.name, phrase{}}, {m.email, address{}}, {m.rest, phrase{}}}
		for _, c := range m.comments {
			texts = append(texts, text{c, comment{}})
		}
		slices.SortFunc(texts, func(a, b text) int { return a.start - b.start })
		for _, at := range texts {
			if at.empty() || at.start < pos {
				continue
			}
			written, ok := with(s[at.start:at.end], at.codec)
			if !ok {
				return "", false
			}
			b.WriteString(s[pos:at.start])
			b.WriteString(written)
			pos = at.end
		}
	}
	b.WriteString(s[pos:])
	return b.String(), true
}

// text is something in a list that is written in its own way.
type text struct {
	span
	codec
}
