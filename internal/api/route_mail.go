package api

import (
	"bytes"
	"strings"

	"cordon/internal/classify"
)

// The lines that may stand before a mail in a file, since DATA does not say who
// sends it to whom.
const (
	envelopeFrom = "x-envelope-from"
	envelopeTo   = "x-envelope-to"
)

// mail reports whether the message is a mail: it says so, or begins as only the
// file of a mail does.
func (t RouteTest) mail() bool {
	if t.Envelope != nil || strings.EqualFold(t.Method, "SMTP") {
		return true
	}
	name, _, _ := envelopeLine(t.Raw)
	return t.Raw != nil && t.Method == "" && name != ""
}

// mailMessage makes the message of a mail. An envelope that is given goes
// before that of the lines.
func (t RouteTest) mailMessage() *classify.Message {
	data := t.Raw
	if data == nil {
		data = t.Body
	}
	var e classify.Envelope
	for {
		name, value, rest := envelopeLine(data)
		switch name {
		case envelopeFrom:
			e.From = mailbox(value)
		case envelopeTo:
			for one := range strings.SplitSeq(value, ",") {
				if one = mailbox(one); one != "" {
					e.To = append(e.To, one)
				}
			}
		default:
			if given := t.Envelope; given != nil && (given.From != "" || len(given.To) > 0) {
				e = classify.Envelope{From: mailbox(given.From)}
				for _, one := range given.To {
					e.To = append(e.To, mailbox(one))
				}
			}
			return &classify.Message{Method: "SMTP", Path: "/", Envelope: &e, Body: undotted(data)}
		}
		data = rest
	}
}

// envelopeLine cuts off the first line if it is one of the envelope; name is ""
// if it is not.
func envelopeLine(data []byte) (name, value string, rest []byte) {
	line, rest, _ := bytes.Cut(data, []byte{'\n'})
	key, after, ok := bytes.Cut(line, []byte{':'})
	for _, name := range []string{envelopeFrom, envelopeTo} {
		if ok && strings.EqualFold(string(key[:min(len(key), len(name)+1)]), name) {
			return name, strings.TrimSpace(string(after)), rest
		}
	}
	return "", "", data
}

// mailbox is an address as MAIL FROM and RCPT TO write it, without its brackets.
func mailbox(text string) string {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "<") && strings.HasSuffix(text, ">") {
		text = text[1 : len(text)-1]
	}
	return strings.TrimSpace(text)
}

// undotted undoes what a recording of SMTP itself has and a message has not
// (RFC 5321 section 4.5.2): the line with a dot alone at the end, and the dot
// before each line that begins with one.
func undotted(data []byte) []byte {
	text, recorded := bytes.CutSuffix(data, []byte("\r\n.\r\n"))
	if !recorded {
		return data
	}
	text = bytes.ReplaceAll(append(text[:len(text):len(text)], "\r\n"...), []byte("\r\n.."), []byte("\r\n."))
	if bytes.HasPrefix(text, []byte("..")) {
		text = text[1:]
	}
	return text
}
