package classify

import (
	"strings"

	"cordon/internal/exposure"
)

// head is what a part's header says.
type head struct {
	name        string
	nameAt      int // where it stands in the text
	nameEnd     int
	contentType string
	file        bool
	fileName    string // as it stands in the header
	fileNameAt  int
	encoded     bool // by a Content-Transfer-Encoding, which RFC 7578 section 4.7 deprecates
}

// head reads a part's header, which begins behind its delimiter, and returns
// where the body begins.
func (m *parts) head(pos, end int) (h head, body int) {
	disposition := false
	for first := true; pos < end; first = false {
		line, next := pos, end
		if i := strings.IndexByte(m.s[pos:end], '\n'); i >= 0 {
			next = pos + i + 1
		}
		stop := next
		switch {
		case strings.HasSuffix(m.s[line:next], "\r\n"):
			stop -= 2
		case strings.HasSuffix(m.s[line:next], "\n"):
			stop--
			m.flag(exposure.IncompleteBoundary)
		}
		pos = next
		if first { // the rest of the delimiter's own line
			if strings.Trim(m.s[line:stop], " \t") != "" {
				m.flag(exposure.IncompleteBoundary)
			}
			continue
		}
		if line == stop {
			if !disposition { // RFC 7578 section 4.2 demands it; some take the part all the same
				m.flag(exposure.IncompleteBoundary)
			}
			return h, pos
		}
		if hasControl(strings.ReplaceAll(m.s[line:stop], "\t", "")) { // a bare CR ends a line to some
			m.flag(exposure.IncompleteBoundary)
		}
		name, value, ok := strings.Cut(m.s[line:stop], ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			m.flag(exposure.IncompleteBoundary)
			continue
		}
		switch strings.ToLower(name) {
		case "content-disposition":
			if disposition {
				m.flag(exposure.IncompleteBoundary)
			}
			disposition = true
			m.disposition(&h, stop-len(value), stop)
		case "content-type":
			if h.contentType != "" {
				m.flag(exposure.IncompleteBoundary)
			}
			h.contentType = strings.TrimSpace(value)
		case "content-transfer-encoding":
			switch strings.ToLower(strings.TrimSpace(value)) {
			case "7bit", "8bit", "binary":
			default:
				m.flag(exposure.IncompleteCoding)
				h.encoded = true
			}
		case "content-length":
		default:
			// Parts have no other header in form-data; what it says is not read.
			m.flag(exposure.IncompleteBoundary)
		}
	}
	m.flag(exposure.IncompleteBoundary) // no body
	return h, end
}

// disposition reads form-data; name="a"; filename="b" and remembers where the
// file's name stands.
func (m *parts) disposition(h *head, pos, stop int) {
	kind := pos + strings.IndexByte(m.s[pos:stop], ';')
	if kind < pos || !strings.EqualFold(strings.TrimSpace(m.s[pos:kind]), "form-data") {
		m.flag(exposure.IncompleteBoundary)
		return
	}
	named := false
	for pos = kind; pos < stop && m.s[pos] == ';'; {
		for pos++; pos < stop && (m.s[pos] == ' ' || m.s[pos] == '\t'); pos++ {
		}
		eq := pos + strings.IndexByte(m.s[pos:stop], '=')
		if eq < pos {
			break
		}
		key := strings.ToLower(m.s[pos:eq])
		pos = eq + 1
		at, value := pos, ""
		if pos < stop && m.s[pos] == '"' {
			at++
			for pos++; pos < stop && m.s[pos] != '"'; pos++ {
				if m.s[pos] == '\\' {
					pos++
				}
			}
			pos = min(pos, stop)
			value = m.s[at:pos]
			if pos == stop {
				m.flag(exposure.IncompleteBoundary)
				return
			}
			pos++
		} else {
			for pos < stop && m.s[pos] != ';' {
				pos++
			}
			value = strings.TrimRight(m.s[at:pos], " \t")
			if !token(value) { // not without quotes: some parsers drop the part
				m.flag(exposure.IncompleteBoundary)
			}
		}
		for pos < stop && (m.s[pos] == ' ' || m.s[pos] == '\t') {
			pos++
		}
		switch key {
		case "name":
			if named {
				m.flag(exposure.IncompleteBoundary)
			}
			named = true
			h.nameAt, h.nameEnd = at, at+len(value)
			h.name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(value)
		case "filename", "filename*":
			if h.file { // two names: parsers choose differently
				m.flag(exposure.IncompleteBoundary)
			}
			h.file, h.fileName, h.fileNameAt = true, value, at
		default:
			m.flag(exposure.IncompleteBoundary)
		}
	}
	if pos < stop || !named {
		m.flag(exposure.IncompleteBoundary)
	}
}
