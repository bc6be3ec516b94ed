package classify

import (
	"errors"
	"slices"
	"strings"

	"cordon/internal/vendor"
)

// conditional is what is mapped at a place only where all filters take the
// object that stands there.
type conditional struct {
	filters []vendor.Filter
	node    *node
}

// variants are the nodes of one place by which of its conditions hold. They
// are made beforehand, so that reading only has to look.
type variants struct {
	keys    []string // whose values decide, each as condition gives it
	filters [][]vendor.Filter
	nodes   map[uint64]*node // by a bit per condition that holds
}

// inObject parts the keys of a condition on what lies in an object of the object;
// no mapping can write it.
const inObject = "\x00"

func condition(f vendor.Filter) string { return strings.Join(f.Keys, inObject) }

// maxVariants bounds what conditions at one place can be combined to.
const maxVariants = 1 << 12

var errConditions = errors.New("there are too many different conditions on one element")

// when is the node for what holds on conditions; without any, n itself.
func (n *node) when(filters []vendor.Filter) *node {
	if len(filters) == 0 {
		return n
	}
	same := func(a, b vendor.Filter) bool { return slices.Equal(a.Keys, b.Keys) && slices.Equal(a.Values, b.Values) }
	for _, c := range n.cases {
		if slices.EqualFunc(c.filters, filters, same) {
			return c.node
		}
	}
	c := &conditional{filters, &node{template: n.template, subject: noSubject}}
	n.cases = append(n.cases, c)
	return c.node
}

// vary joins, for every set of conditions that can hold at once, what they say
// with what always holds. What comes first in the manifest goes before.
func (n *node) vary() error {
	if len(n.cases) == 0 {
		return nil
	}
	if len(n.cases) > 64 {
		return errConditions
	}
	v := &variants{nodes: map[uint64]*node{}}
	values := map[string][]string{}
	for _, c := range n.cases {
		v.filters = append(v.filters, c.filters)
		for _, f := range c.filters {
			key := condition(f)
			if !slices.Contains(v.keys, key) {
				v.keys = append(v.keys, key)
			}
			values[key] = append(values[key], f.Values...)
		}
	}
	cases := n.cases
	n.cases = nil
	given, tries := make([]scalar, len(v.keys)), 0
	var try func(key int) error
	try = func(key int) error {
		if key < len(v.keys) {
			given[key] = scalar{}
			if err := try(key + 1); err != nil {
				return err
			}
			for _, value := range values[v.keys[key]] {
				given[key] = scalar{value, true}
				if err := try(key + 1); err != nil {
					return err
				}
			}
			return nil
		}
		if tries++; tries > maxVariants {
			return errConditions
		}
		which := v.which(given)
		if which == 0 || v.nodes[which] != nil {
			return nil
		}
		joined := &node{template: n.template, subject: noSubject}
		for i, c := range cases {
			if which&(1<<i) != 0 {
				joined.fill(c.node)
			}
		}
		joined.fill(n)
		v.nodes[which] = joined
		return joined.finish()
	}
	n.variants = v
	return try(0)
}

// scalar is the value of one key of an object; not there, or no scalar, when
// there is false.
type scalar struct {
	value string
	there bool
}

// which are the conditions that hold for the values of keys.
func (v *variants) which(given []scalar) (bits uint64) {
	for i, filters := range v.filters {
		holds := true
		for _, f := range filters {
			at := given[slices.Index(v.keys, condition(f))]
			holds = holds && at.there && slices.Contains(f.Values, at.value)
		}
		if holds {
			bits |= 1 << i
		}
	}
	return bits
}

// choose is the variant of n for the values of its keys, n itself when no
// condition holds.
func (n *node) choose(given []scalar) *node {
	if next := n.variants.nodes[n.variants.which(given)]; next != nil {
		return next
	}
	return n
}
