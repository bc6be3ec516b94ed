package wiretest

import (
	"slices"
	"strconv"
	"strings"
)

// Replace writes values, by the number of the leaf, in place of what stood
// there; false when one of them cannot stand there.
func (tree *Tree) Replace(values map[int]string) (string, bool) {
	var list []splice
	for i, value := range values {
		l := tree.Leaves[i]
		with, ok := l.Codec.Encode(value, l.Raw)
		if !ok {
			return "", false
		}
		list = append(list, splice{l.Start, l.End, with})
		if l.LengthEnd > 0 {
			list = append(list, splice{l.Length, l.LengthEnd, strconv.Itoa(len(with))})
		}
	}
	return apply(tree.text, list), true
}

// Drop removes the members of the leaves of these numbers, and empties those
// that have none; false when one of those cannot be empty.
func (tree *Tree) Drop(leaves ...int) (string, bool) {
	var list []splice
	var members []int
	emptied := map[int]string{}
	for _, i := range leaves {
		switch l := tree.Leaves[i]; {
		case l.Member < 0:
			emptied[i] = ""
		case l.Between != 0:
			members = append(members, i)
		default:
			list = append(list, splice{l.Member, l.MemberEnd, ""})
		}
	}
	slices.Sort(members)
	for n := 0; n < len(members); n++ {
		l := tree.Leaves[members[n]]
		start, end := l.Member, l.MemberEnd
		for n+1 < len(members) && tree.next(end, l.Between) == tree.Leaves[members[n+1]].Member {
			n++
			end = tree.Leaves[members[n]].MemberEnd
		}
		if next := tree.next(end, l.Between); next >= 0 {
			end = next
		} else if before := strings.TrimRight(tree.text[:start], blanks); strings.HasSuffix(before, string(rune(l.Between))) {
			start = len(before) - 1
		}
		list = append(list, splice{start, end, ""})
	}
	for i, value := range emptied {
		l := tree.Leaves[i]
		with, ok := l.Codec.Encode(value, l.Raw)
		if !ok {
			return "", false
		}
		list = append(list, splice{l.Start, l.End, with})
		if l.LengthEnd > 0 {
			list = append(list, splice{l.Length, l.LengthEnd, strconv.Itoa(len(with))})
		}
	}
	return apply(tree.text, list), true
}

const blanks = " \t\r\n"

// next is where the member behind the separator at end begins; -1 without one.
func (tree *Tree) next(end int, between byte) int {
	rest := strings.TrimLeft(tree.text[end:], blanks)
	if rest == "" || rest[0] != between {
		return -1
	}
	return len(tree.text) - len(strings.TrimLeft(rest[1:], blanks))
}

type splice struct {
	start, end int
	with       string
}

// apply makes the splices; one within a member that goes is gone with it.
func apply(text string, list []splice) string {
	slices.SortFunc(list, func(a, b splice) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	var b strings.Builder
	pos := 0
	for _, s := range list {
		if s.start < pos {
			continue
		}
		b.WriteString(text[pos:s.start])
		b.WriteString(s.with)
		pos = s.end
	}
	b.WriteString(text[pos:])
	return b.String()
}
