package classify

import "strings"

// lines reads w.s[from:to] as JSON documents, one a line. They are elements of
// a list; where the mapping speaks of one message, each line is a message.
func (w *walk) lines(n *node, l *leaf, g int32, from, to int) {
	if n != nil && n.leaf != nil {
		l = n.leaf
	}
	var next *node
	if n != nil {
		if next = n.elem; next == nil && n.named() {
			next = n
		}
	}
	for index := 0; from < to && !w.stopped; {
		end := from + strings.IndexByte(w.s[from:to], '\n')
		if end < from {
			end = to
		}
		w.work += 1 + end - from
		if strings.Trim(w.s[from:end], " \t\r") != "" {
			of := g
			if next != nil && next == n && n.subject == rootSubject {
				of = w.open(rootSubject, g)
			}
			groups, fields := len(w.f.groups), len(w.f.fields)
			w.push(crumb{node: next, index: int32(index), elem: true})
			w.json(next, l, of, from, end)
			w.pop()
			w.forget(groups, fields)
			index++
		}
		from = end + 1
	}
}

// looksLines reports several documents of one line each, as opposed to one
// document over several lines.
func looksLines(body string) bool {
	body = strings.TrimRight(body, "\r\n \t")
	first, rest, several := strings.Cut(body, "\n")
	rest, _, _ = strings.Cut(strings.TrimLeft(rest, "\r\n \t"), "\n")
	return several && oneLine(first) && oneLine(rest)
}

// oneLine reports whether a line begins and ends as an object or a list does.
func oneLine(line string) bool {
	line = strings.Trim(line, " \t\r")
	if len(line) < 2 {
		return false
	}
	switch line[0] {
	case '{':
		return line[len(line)-1] == '}'
	case '[':
		return line[len(line)-1] == ']'
	}
	return false
}
