package mime

import "strings"

// span is a place in a list.
type span struct{ start, end int }

func (s span) empty() bool         { return s.start >= s.end }
func (s span) within(of span) bool { return of.start <= s.start && s.end <= of.end }

// mailbox is one entry of a list of addresses as it is written there.
type mailbox struct {
	span               // all of it, without the blanks around
	name, email span   // without angle brackets and route
	comments    []span // with their brackets
	rest        span   // what fits nowhere
	group       bool   // the name of a group, whose members follow
	between     byte   // parts it from the next mailbox, or from the one before
}

// list is the reading of a list of addresses (RFC 5322 section 3.4 with the
// obsolete forms, and with what mailers write instead).
type list struct {
	s     string
	pos   int
	boxes []mailbox
	odd   bool // may be read in several ways
	group bool
	prior byte // the separator before
}

func parseList(s string) (boxes []mailbox, odd bool) {
	l := list{s: s}
	for l.skip(); l.pos < len(s); l.skip() {
		l.mailbox()
	}
	return l.boxes, l.odd || l.group
}

// skip passes over blanks and what parts mailboxes.
func (l *list) skip() {
	for l.pos < len(l.s) {
		switch c := l.s[l.pos]; {
		case c == ' ', c == '\t', c == '\r', c == '\n':
		case c == ',':
			l.prior = ','
		case c == ';' && l.group:
			l.group, l.prior = false, 0
		case c == ';':
			l.odd, l.prior = true, ';' // Outlook's separator, no one else's
		default:
			return
		}
		l.pos++
	}
}

// mailbox reads one mailbox, or the name of a group.
func (l *list) mailbox() {
	m := mailbox{span: span{l.pos, l.pos}, between: ','}
	var runs []span // of words and quoted strings without blanks between them
	angled := false
	add := func(from, to int) {
		if n := len(runs); n > 0 && runs[n-1].end == from {
			runs[n-1].end = to
		} else {
			runs = append(runs, span{from, to})
		}
	}
	for l.pos < len(l.s) {
		from := l.pos
		switch c := l.s[from]; c {
		case ' ', '\t', '\r', '\n':
			l.pos++
			continue
		case ',':
			l.add(m, runs, angled, ',')
			return
		case ';':
			if l.group {
				l.add(m, runs, angled, 0)
			} else {
				l.add(m, runs, angled, ';')
			}
			return
		case ':':
			l.pos++
			if angled || l.group || len(runs) == 0 || strings.IndexByte(unquoted(l.s[runs[0].start:from]), '@') >= 0 {
				l.odd = true
				add(from, l.pos)
				break
			}
			m.end, m.name, m.group = from, span{runs[0].start, runs[len(runs)-1].end}, true
			l.boxes = append(l.boxes, m)
			l.group, l.prior = true, 0
			return
		case '(':
			l.comment()
			if len(runs) > 0 && runs[len(runs)-1].end == from && l.pos < len(l.s) && strings.IndexByte(" \t\r\n,;<(", l.s[l.pos]) < 0 {
				l.odd = true // within an address: some keep it
				add(from, l.pos)
			} else {
				m.comments = append(m.comments, span{from, l.pos})
			}
		case '<':
			if angled {
				l.odd = true
				l.add(m, runs, true, 0)
				m, runs = mailbox{span: span{from, from}, between: ','}, nil
			}
			l.angle(&m, runs)
			runs, angled = nil, true
		case '"':
			l.quoted()
			add(from, l.pos)
		default:
			if c == '>' || c == ')' || c == '[' || c == ']' || c == '\\' {
				l.odd = l.odd || c != '[' && c != ']'
			}
			if c < ' ' || c == 0x7f {
				l.odd = true
			}
			l.pos++
			add(from, l.pos)
		}
		m.end = l.pos
	}
	l.add(m, runs, angled, 0)
}

func (l *list) trim(from, to int) int {
	return from + len(strings.TrimRight(l.s[from:to], " \t\r\n"))
}

// add keeps a mailbox before the separator that parts it from the next. runs are
// the words that are not yet part of it.
func (l *list) add(m mailbox, runs []span, angled bool, separator byte) {
	if separator == ';' || separator == 0 && l.prior == ';' {
		m.between = ';'
	}
	if angled {
		if len(runs) > 0 {
			l.odd = true
			m.rest = span{runs[0].start, runs[len(runs)-1].end}
		}
		l.keep(m)
		return
	}
	var at []int // the runs that are addresses
	for i, r := range runs {
		if strings.IndexByte(unquoted(l.s[r.start:r.end]), '@') >= 0 {
			at = append(at, i)
		}
	}
	switch {
	case len(runs) == 0: // a comment alone
		l.odd = true
	case len(at) == 0:
		l.odd = true
		m.name = span{runs[0].start, runs[len(runs)-1].end}
	case len(runs) == 1:
		m.email = runs[0]
	case len(at) == 1:
		l.odd = true
		m.email = runs[at[0]]
		if at[0] > 0 {
			m.name = span{runs[0].start, runs[at[0]-1].end}
		}
		if at[0]+1 < len(runs) {
			m.rest = span{runs[at[0]+1].start, runs[len(runs)-1].end}
		}
	default:
		l.odd = true
		l.crowd(m, runs, at)
		return
	}
	l.keep(m)
}

// crowd keeps addresses that nothing parts: each is a mailbox, with what is
// before it, and goes alone.
func (l *list) crowd(m mailbox, runs []span, at []int) {
	comments := m.comments
	from := 0
	for n, i := range at {
		one := mailbox{span: span{runs[from].start, m.end}, email: runs[i]}
		if from < i {
			one.name = span{runs[from].start, runs[i-1].end}
		}
		if from = i + 1; n+1 < len(at) {
			one.end = l.trim(one.start, runs[from].start)
		} else if from < len(runs) {
			one.rest = span{runs[from].start, runs[len(runs)-1].end}
		}
		for len(comments) > 0 && (comments[0].end <= one.end || n+1 == len(at)) {
			one.comments = append(one.comments, comments[0])
			one.start = min(one.start, comments[0].start)
			comments = comments[1:]
		}
		l.keep(one)
	}
}

// keep adds a mailbox. A comment among the words of another part belongs to it.
func (l *list) keep(m mailbox) {
	kept := m.comments[:0]
	for _, c := range m.comments {
		if !c.within(m.name) && !c.within(m.email) && !c.within(m.rest) {
			kept = append(kept, c)
		}
	}
	m.comments = kept
	l.boxes = append(l.boxes, m)
}

// angle reads an address in angle brackets; runs are the words before it.
func (l *list) angle(m *mailbox, runs []span) {
	if len(runs) > 0 {
		m.name = span{runs[0].start, runs[len(runs)-1].end}
	}
	l.pos++
	from := l.pos
	route := l.s[from:min(len(l.s), from+1)] == "@"
	for l.pos < len(l.s) {
		switch c := l.s[l.pos]; {
		case c == '"':
			l.quoted()
			continue
		case c == '(':
			l.comment()
			l.odd = true
			continue
		case c == ':' && route: // RFC 5322 section 4.4
			from, route = l.pos+1, false
		case c == ',' && !route, c == '<', c == '>':
			if c == '>' {
				m.email = l.trimmed(from, l.pos)
				l.pos++
			} else {
				l.odd = true
				m.email = l.trimmed(from, l.pos)
			}
			if e := unquoted(l.s[m.email.start:m.email.end]); !m.email.empty() && (strings.IndexByte(e, '@') < 0 || strings.ContainsAny(e, " \t\r\n\\;:")) {
				l.odd = true
			}
			return
		case c < ' ' && c != '\t' && c != '\r' && c != '\n':
			l.odd = true
		}
		l.pos++
	}
	l.odd = true // never closed
	m.email = l.trimmed(from, l.pos)
}

func (l *list) trimmed(from, to int) span {
	for from < to && strings.IndexByte(" \t\r\n", l.s[from]) >= 0 {
		from++
	}
	return span{from, l.trim(from, to)}
}

// unquoted is s without its quoted strings.
func unquoted(s string) string {
	if strings.IndexByte(s, '"') < 0 {
		return s
	}
	var b strings.Builder
	l := list{s: s}
	for from := 0; from < len(s); from = l.pos {
		if s[from] == '"' {
			l.quoted()
			continue
		}
		l.pos++
		b.WriteByte(s[from])
	}
	return b.String()
}

// quoted passes over a quoted string.
func (l *list) quoted() {
	for l.pos++; l.pos < len(l.s); l.pos++ {
		switch l.s[l.pos] {
		case '\\':
			l.pos++
		case '"':
			l.pos++
			return
		}
	}
	l.pos, l.odd = len(l.s), true
}

// comment passes over a comment; comments nest.
func (l *list) comment() {
	depth := 0
	for ; l.pos < len(l.s); l.pos++ {
		switch l.s[l.pos] {
		case '\\':
			l.pos++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.pos++
				return
			}
		}
	}
	l.pos, l.odd = len(l.s), true
}
