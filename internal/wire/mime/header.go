package mime

import (
	"strings"
	"time"
	"unicode/utf8"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// unreadable is the name under which a line stands that is no header.
const unreadable = "unreadable"

// field is one field of a header.
type field struct {
	name        string // in lower case
	start, end  int    // with its line ends
	value, stop int    // what is behind the colon, without the last line end
}

func readable(f field) bool { return f.name != unreadable }

// once are the fields that RFC 5322 section 3.6 and MIME allow once; given
// twice, one program takes the first and another the last.
var once = words(`from sender reply-to to cc bcc message-id in-reply-to references subject date
	mime-version content-type content-transfer-encoding content-disposition content-id content-description`)

func words(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// header reads the fields from pos on and returns where the body begins.
func (m *mail) header(pos, to int) (fields []field, body int) {
	seen := map[string]bool{}
	for pos < to {
		f := field{start: pos}
		stop, next := m.line(pos, to)
		if stop == pos {
			return fields, next
		}
		for next < to && blank(m.text[next]) {
			at := next
			if stop, next = m.line(at, to); strings.Trim(m.text[at:stop], " \t") == "" {
				m.flag(exposure.IncompleteSyntax) // the header's end to some
			}
		}
		f.value, f.stop, f.end, pos = f.start, stop, next, next
		f.name = m.name(&f)
		switch line := m.text[f.start:f.stop]; {
		case f.name == unreadable, hidden(line):
			m.flag(exposure.IncompleteSyntax)
		case !utf8.ValidString(line):
			m.flag(exposure.IncompleteUTF8)
		}
		if seen[f.name] && once[f.name] {
			m.flag(exposure.IncompleteDuplicateKey)
		}
		seen[f.name] = true
		fields = append(fields, f)
	}
	return fields, to
}

// line is where the line at pos stops and where the next one begins.
func (m *mail) line(pos, to int) (stop, next int) {
	i := strings.IndexByte(m.text[pos:to], '\n')
	if i < 0 {
		return to, to
	}
	stop, next = pos+i, pos+i+1
	crlf := i > 0 && m.text[stop-1] == '\r'
	if crlf {
		stop--
	}
	if crlf != (m.eol == "\r\n") {
		m.flag(exposure.IncompleteSyntax)
	}
	return stop, next
}

// name is the name before the colon; value moves behind it.
func (m *mail) name(f *field) string {
	line := m.text[f.start:f.stop]
	colon := strings.IndexByte(line, ':')
	if colon < 1 || blank(line[0]) {
		return unreadable
	}
	name := strings.TrimRight(line[:colon], " \t")
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return unreadable
		}
	}
	if len(name) < colon {
		m.flag(exposure.IncompleteSyntax) // another name to some, none to others
	}
	f.value = f.start + colon + 1
	for f.value < f.stop && blank(m.text[f.value]) {
		f.value++
	}
	return strings.ToLower(name)
}

func blank(b byte) bool { return b == ' ' || b == '\t' }

// hidden reports a bare carriage return or a NUL, at which some programs end a
// line and others do not.
func hidden(line string) bool {
	if strings.IndexByte(line, 0) >= 0 {
		return true
	}
	for i := strings.IndexByte(line, '\r'); i >= 0 && i < len(line); i++ {
		if line[i] == '\r' && (i+1 == len(line) || line[i+1] != '\n') {
			return true
		}
	}
	return false
}

// fields tells of all fields that are not syntax.
func (m *mail) fields(list []field) {
	for _, f := range list {
		value := m.text[f.value:f.stop]
		if syntax(f.name, value) || strings.TrimSpace(value) == "" {
			continue
		}
		l := wire.Leaf{Start: f.value, End: f.stop, Member: f.start, MemberEnd: f.end}
		if h := (headerText{eol: m.eol, column: f.value - f.start}); addressed[f.name] {
			l.Codec = headerAddresses(h)
		} else {
			l.Codec = h
		}
		m.member(f.name, l)
	}
}

// syntax reports whether a field says nothing but how to read the mail.
func syntax(name, value string) bool {
	switch name {
	case "content-type", "content-transfer-encoding", "content-disposition":
		return true
	case "mime-version":
		return strings.TrimSpace(value) == "1.0"
	case "date":
		return date(value)
	}
	return false
}

// date reports a date of RFC 5322 and nothing beside it, as far as one that all
// mailers write today.
func date(value string) bool {
	value = strings.TrimSpace(value)
	for _, layout := range []string{time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700",
		"Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 -0700 (MST)"} {
		if _, err := time.Parse(layout, value); err == nil {
			return len(value) < 48
		}
	}
	return false
}
