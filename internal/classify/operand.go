package classify

import "strings"

// isOperand reports whether what was found is a value of a search expression in
// a query: email:'ada@example.org', equals(email,"ada@example.org"), profile.email
// eq "ada@example.org". Such a value is no text about somebody; the vendor is
// asked for that very person.
func (f *Findings) isOperand(at *Field) bool {
	host := &f.fields[at.host]
	if host.src != inQuery {
		return false
	}
	value := host.Value()
	start, end := int(at.start), int(at.start)+len(at.raw)
	if start < 1 || end > len(value) {
		return false
	}
	before, after := value[:start], value[end:]
	if q := before[len(before)-1]; q == '"' || q == '\'' {
		if after == "" || after[0] != q {
			return false
		}
		before = strings.TrimRight(before[:len(before)-1], " \t")
		return before != "" && (strings.IndexByte(":=,(<>~[", before[len(before)-1]) >= 0 || endsInOperator(before))
	}
	if after != "" && strings.IndexByte(" \t)&;,]|", after[0]) < 0 {
		return false
	}
	return strings.IndexByte(":=", before[len(before)-1]) >= 0 && len(before) > 1 && nameByte(before[len(before)-2])
}

// operators are written as words in filters of SCIM, OData and their kind.
var operators = []string{"eq", "ne", "co", "sw", "ew", "is", "in", "like", "contains"}

func endsInOperator(s string) bool {
	last := strings.ToLower(s[strings.LastIndexAny(s, " \t")+1:])
	for _, op := range operators {
		if last == op && len(last) < len(s) {
			return true
		}
	}
	return false
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == ']'
}
