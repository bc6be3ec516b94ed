package gateway

import (
	"encoding/json"
	"fmt"
	"html"
	"mime"
	"net/url"
	"strings"
	"unicode/utf8"
)

// format is how values are written in an answer.
type format uint8

const (
	plain      format = iota
	inJSON            // JSON, also one text a line
	events            // server-sent events, whose data may be JSON
	urlencoded        // forms and URLs
	markup            // HTML and XML
	table             // CSV
)

// formatOf tells the format by the media type; false for what we do not write.
func formatOf(contentType string) (format, bool) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return plain, false
	}
	if c := strings.ToLower(params["charset"]); c != "" && c != "utf-8" && c != "utf8" && c != "us-ascii" {
		return plain, false
	}
	switch {
	case media == "text/event-stream":
		return events, true
	case media == "application/x-www-form-urlencoded":
		return urlencoded, true
	case media == "text/html", strings.HasSuffix(media, "/xml"), strings.HasSuffix(media, "+xml"):
		return markup, true
	case media == "text/csv", media == "text/tab-separated-values":
		return table, true
	case media == "text/plain":
		return plain, true
	}
	_, sub, _ := strings.Cut(media, "/")
	switch strings.TrimPrefix(sub, "x-") {
	case "json", "ndjson", "jsonl", "jsonlines", "json-seq", "json-lines":
		return inJSON, true
	}
	return inJSON, strings.HasSuffix(sub, "+json")
}

// place is where in an answer we are, as far as it matters for writing there.
type place struct {
	format format

	inString bool // of JSON
	escaped  bool // the last byte was a backslash
	nested   bool // the string has escaped quotes: it may hold JSON itself

	prefix int  // events: how much of "data:" was seen of this line
	data   kind // events: what the line's data is
}

// kind is what the data of an event is.
type kind uint8

const (
	undecided kind = iota
	dataJSON
	dataOther
)

// pass moves on behind text.
func (p *place) pass(text []byte) {
	if p.format != inJSON && p.format != events {
		return
	}
	for _, c := range text {
		if c == '\n' || c == '\r' { // no string of JSON has one
			*p = place{format: p.format}
			continue
		}
		if p.format == events && !p.inData(c) {
			continue
		}
		switch {
		case p.escaped:
			p.escaped = false
			p.nested = p.nested || c == '"'
		case p.inString && c == '\\':
			p.escaped = true
		case c == '"':
			p.inString, p.nested = !p.inString, false
		}
	}
}

// inData reports whether a byte of an event is part of data that is JSON.
func (p *place) inData(c byte) bool {
	const field = "data:"
	switch {
	case p.data != undecided:
		return p.data == dataJSON
	case p.prefix < len(field):
		if c == field[p.prefix] {
			p.prefix++
		} else {
			p.data = dataOther
		}
		return false
	case c == ' ':
		return false
	case c == '{' || c == '[' || c == '"':
		p.data = dataJSON
		return true
	}
	p.data = dataOther
	return false
}

// write is a value as it stands here in the place of a token; false when it
// cannot. at is how the token's at-sign was escaped, by which, or by its blank
// or plus sign, the text around it is known to be escaped.
func (p *place) write(value, token, at string) (string, bool) {
	if !utf8.ValidString(value) {
		return "", false
	}
	inner := escapeOf(token, at)
	if inner != nil {
		value = inner(value)
	}
	switch p.format {
	case inJSON:
		return p.writeJSON(value, strings.Contains(strings.ToLower(token), `\u00`))
	case events:
		if p.data == dataJSON {
			return p.writeJSON(value, strings.Contains(strings.ToLower(token), `\u00`))
		}
		return value, !strings.ContainsAny(value, "\r\n")
	case urlencoded:
		if inner != nil {
			return value, true
		}
		return url.QueryEscape(value), true
	case markup:
		if inner != nil {
			return value, true
		}
		return html.EscapeString(value), true
	case table:
		return value, !strings.ContainsAny(value, "\",;\t\r\n")
	}
	return value, true
}

func (p *place) writeJSON(value string, escaped bool) (string, bool) {
	if !p.inString {
		return value, number(value) // a bare token stood for a number
	}
	if escaped { // with its at-sign
		return value, true
	}
	written := quoted(value, false)
	// In JSON within a string one would have to escape twice, and nobody knows
	// for certain that it is.
	return written, !p.nested || written == value
}

// quoted is a value as it stands between the quotes of a JSON string.
func quoted(value string, markupSafe bool) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(markupSafe)
	if e.Encode(value) != nil {
		return ""
	}
	text := b.String()
	return text[1 : len(text)-2] // without quotes and line end
}

func number(v string) bool {
	return v != "" && (v[0] == '-' || '0' <= v[0] && v[0] <= '9') && json.Valid([]byte(v))
}

// escapeOf is how text around a token is escaped, as far as the token shows; nil
// when it does not.
func escapeOf(token, at string) func(string) string {
	switch at {
	case "%40":
		return percent
	case "%2540":
		return func(v string) string { return percent(percent(v)) }
	case `\u0040`:
		return func(v string) string { return strings.ReplaceAll(quoted(v, true), "@", `\u0040`) }
	case "&#64;", "&#x40;", "&commat;":
		return func(v string) string { return strings.ReplaceAll(html.EscapeString(v), "@", at) }
	case "=40":
		return printable
	case "=":
		return func(v string) string { return strings.ReplaceAll(v, "@", "=") }
	}
	low := strings.ToLower(token)
	switch {
	case strings.Contains(low, "%20"), strings.HasPrefix(low, "%2b"):
		return percent
	case strings.Contains(low, `\u00`):
		return func(v string) string { return strings.ReplaceAll(quoted(v, true), "+", `\u002b`) }
	case strings.Contains(low, "&"):
		return html.EscapeString
	case strings.IndexByte(low, '+') > 0: // a name in a form
		return url.QueryEscape
	}
	return nil
}

// percent escapes for any part of a URL.
func percent(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") }

// printable is quoted-printable (RFC 2045) of everything but letters and digits.
func printable(v string) string {
	var b strings.Builder
	for i := range len(v) {
		if c := v[i]; c == '.' || c == '-' || c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}
