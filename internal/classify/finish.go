package classify

// finish makes one deterministic pass possible: what "*" says holds for the
// named keys too, wherever these say nothing, and what holds on conditions is
// joined with what always holds.
func (n *node) finish() error {
	if as := find(n.decoders, "json"); as != nil {
		// A string of JSON is read as such also without saying so, and JSON that
		// is no string is what the string would hold.
		as.fillBelow(n)
		n.json = as
	}
	if err := n.vary(); err != nil {
		return err
	}
	for _, e := range n.keys {
		if n.any != nil {
			e.node.fill(n.any)
		}
	}
	n.opens = len(n.keys) > 0 || n.any != nil || n.elem != nil || len(n.decoders) > 0
	n.varies = n.variants != nil
	for next := range n.children {
		if err := next.finish(); err != nil {
			return err
		}
		n.varies = n.varies || next.varies
	}
	if len(n.keys) > linearKeys {
		n.index = make(map[string]*node, len(n.keys))
		for _, e := range n.keys {
			n.index[e.key] = e.node
		}
	}
	return nil
}

// children are the nodes one step on.
func (n *node) children(yield func(*node) bool) {
	for _, list := range [][]edge{n.keys, n.decoders} {
		for _, e := range list {
			if !yield(e.node) {
				return
			}
		}
	}
	for _, next := range []*node{n.any, n.elem} {
		if next != nil && !yield(next) {
			return
		}
	}
}

// fill copies from o what n does not say itself. Nodes are copied, not shared,
// because a shared one would be filled from two sides.
func (n *node) fill(o *node) {
	switch {
	case n.elem != nil && !n.named():
		// Mapped by its elements, and so is a single value in their place. A leaf
		// of its own would hide them: to[] beside * is still a list of people.
		if n.elem.leaf == nil {
			n.elem.leaf = o.leaf
		}
	case n.leaf == nil:
		n.leaf = o.leaf
	}
	if n.subject == noSubject {
		n.subject = o.subject
	}
	fillOne(&n.own, o.own)
	fillEdges(&n.decoders, o.decoders)
	n.fillBelow(o)
}

// fillBelow copies keys and elements, and what is mapped to them on conditions.
func (n *node) fillBelow(o *node) {
	fillOne(&n.any, o.any)
	fillOne(&n.elem, o.elem)
	fillEdges(&n.keys, o.keys)
	for _, c := range o.cases {
		n.when(c.filters).fill(c.node)
	}
}

func fillOne(into **node, from *node) {
	if from == nil {
		return
	}
	if *into == nil {
		*into = &node{template: from.template, subject: noSubject}
	}
	(*into).fill(from)
}

func fillEdges(into *[]edge, from []edge) {
	for _, e := range from {
		next := find(*into, e.key)
		if next == nil {
			next = &node{template: e.node.template, subject: noSubject}
			*into = append(*into, edge{e.key, next})
		}
		next.fill(e.node)
	}
}
