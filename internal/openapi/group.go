package openapi

import (
	"slices"
	"strings"
)

// judged is a spot with its judgement.
type judged struct {
	*spot
	judgement
}

// group is what becomes one mapping: the fields of each element that subjects
// lead to.
type group struct {
	in       string
	subjects []step
	fields   []judged
	other    bool // most likely somebody else than the person around
}

// grouped puts body fields with the people whom they are about. An element of
// a list that has an identifier of its own is a person; so is an object under a
// word such as recipient or guardian, when there is an identifier outside too.
// Everything else belongs to the nearest person around it.
func (l *lexicon) grouped(fields []judged) []group {
	var homes []string
	ways := map[string][]step{"": nil}
	others := map[string]bool{}
	add := func(steps []step) string {
		p := pathOf(steps)
		if len(steps) == 0 {
			p = ""
		}
		if _, ok := ways[p]; !ok {
			ways[p] = steps
			homes = append(homes, p)
		}
		return p
	}
	for _, f := range fields {
		if !f.identity || f.certainty == ours {
			continue
		}
		if n := lastElement(f.steps); n > 0 && (n < len(f.steps) || !identified(fields, f.steps[:n-1], f)) {
			add(f.steps[:n])
		}
	}
	for _, f := range fields { // second, when the elements are known
		if !f.identity || f.certainty == ours {
			continue
		}
		for i := len(f.steps) - 1; i > lastElement(f.steps); i-- {
			if k := words(f.steps[i-1].key); len(k) > 0 && l.is("other", k[0]) && outside(fields, f.steps[:lastElement(f.steps)], f.steps[:i]) {
				others[add(f.steps[:i])] = true
				break
			}
		}
	}
	groups := map[string]*group{}
	for _, f := range fields {
		home := ""
		for _, h := range homes {
			if len(ways[h]) > len(ways[home]) && hasPrefix(f.steps, ways[h]) {
				home = h
			}
		}
		g := groups[home]
		if g == nil {
			g = &group{in: f.in, subjects: ways[home], other: others[home]}
			groups[home] = g
		}
		g.fields = append(g.fields, f)
	}
	var list []group
	for _, g := range groups {
		list = append(list, *g)
	}
	slices.SortFunc(list, func(a, b group) int { return strings.Compare(pathOf(a.subjects), pathOf(b.subjects)) })
	return list
}

// lastElement is how many steps lead to the innermost list's element, 0 when
// there is no list. The members of * count as elements.
func lastElement(steps []step) int {
	for i := len(steps); i > 0; i-- {
		if steps[i-1].key == "" {
			return i
		}
	}
	return 0
}

// identified reports whether the value that way leads to has an identifier, in
// no further list, besides f.
func identified(fields []judged, way []step, f judged) bool {
	n := lastElement(way)
	return slices.ContainsFunc(fields, func(o judged) bool {
		return o.identity && o.spot != f.spot && lastElement(o.steps) == n && hasPrefix(o.steps, way[:n])
	})
}

// outside reports whether an identifier stands in home but not below way.
func outside(fields []judged, home, way []step) bool {
	return slices.ContainsFunc(fields, func(o judged) bool {
		return o.identity && o.certainty != ours && lastElement(o.steps) == len(home) && hasPrefix(o.steps, home) && !hasPrefix(o.steps, way)
	})
}

func hasPrefix(steps, prefix []step) bool {
	return len(steps) >= len(prefix) && slices.Equal(steps[:len(prefix)], prefix)
}
