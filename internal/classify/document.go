package classify

import (
	"unicode/utf8"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// document walks along the nodes of a trie while a reader of package wire tells
// what a text consists of.
type document struct {
	w      *walk
	at     cursor
	around []frame
	// prefix is how many bytes before the text are not the message's own.
	prefix int
	// fold is how a key is looked up where the nodes are our own and not a
	// mapping's; nil: as it is.
	fold func(key string) string
	// number is that of the last member or element begun, peeked what those hold
	// that conditions ask for.
	number int
	peeked map[held]string
}

// frame is where a member or an element began, and how much was found before.
type frame struct {
	cursor
	groups, fields int
}

// wiredSpot is where a leaf of a document stands, and its way of writing.
type wiredSpot struct {
	codec             wire.Codec
	end               int32 // of the value
	member, memberEnd int32 // member -1: it can only be emptied
	length, lengthEnd int32 // where its length is said; 0, 0: nowhere
	between           byte
}

// tell reads the whole of the text that the walk stands in.
func (w *walk) tell(n *node, l *leaf, g int32, read func(string, wire.Visitor)) {
	d := document{w: w, at: cursor{node: n, leaf: l, group: g}}
	d.read(w.s, read)
}

func (d *document) read(text string, read func(string, wire.Visitor)) {
	w, crumbs := d.w, len(d.w.crumbs)
	w.work += len(text)
	if d.at.node != nil && d.at.node.varies {
		p := peeker{text: text, values: map[held]string{}, around: []held{{}}}
		read(text, &p)
		d.peeked = p.values
		d.at.node = d.choose(d.at.node)
	}
	read(text, d)
	w.crumbs = w.crumbs[:crumbs]
}

func (d *document) Enter(key string) {
	d.settle()
	d.around = append(d.around, frame{d.at, len(d.w.f.groups), len(d.w.f.fields)})
	c := crumb{key: key}
	if d.fold != nil {
		key = d.fold(key)
	}
	next := d.at.node.under(key)
	if d.fold == nil {
		c.node = next
	}
	d.w.push(c)
	d.enter(next)
}

// enter moves on to the node of a member or an element that begins.
func (d *document) enter(n *node) {
	d.number++
	if n != nil && n.variants != nil {
		n = d.choose(n)
	}
	d.at = d.w.enter(d.at, n, nil)
}

// settle takes a single value where a list is mapped as its one element.
func (d *document) settle() {
	for n := d.at.node; n != nil && n.elem != nil && !n.named(); n = d.at.node {
		next := n.elem
		if next.variants != nil { // nothing was begun since the value around
			next = d.choose(next)
		}
		d.at = d.w.enter(d.at, next, nil)
	}
}

func (d *document) Element(index int) {
	d.around = append(d.around, frame{d.at, len(d.w.f.groups), len(d.w.f.fields)})
	n := d.at.node
	var next *node
	if n != nil {
		if next = n.elem; next == nil && n.named() {
			next = n
		}
	}
	if next != nil && next == n && n.subject == rootSubject {
		d.at.group = d.w.open(rootSubject, d.at.group)
	}
	c := crumb{index: int32(index), elem: true}
	if d.fold == nil {
		c.node = next
	}
	d.w.push(c)
	d.enter(next)
}

func (d *document) Leave() {
	if len(d.around) == 0 {
		return
	}
	d.w.pop()
	before := &d.around[len(d.around)-1]
	d.w.forget(before.groups, before.fields)
	d.at = before.cursor
	d.around = d.around[:len(d.around)-1]
}

func (d *document) Problem(r exposure.Reason) { d.w.flag(r) }

func (d *document) Leaf(l wire.Leaf) bool {
	w := d.w
	if l.Start < d.prefix || w.stopped {
		return !w.stopped
	}
	raw := w.s[l.Start-d.prefix : l.End-d.prefix]
	w.work += 1 + len(raw)
	value, clean := l.Codec.Decode(raw)
	if !clean {
		w.flag(exposure.IncompleteSyntax)
	}
	d.settle()
	is := d.at.leaf
	if l.Known && (d.at.node == nil || d.at.node.leaf == nil) {
		is = w.known(l.Category, d.at.group)
	}
	if value == "" || is != nil && is.none && (d.at.node == nil || !d.at.node.opens) {
		return !w.stopped
	}
	at := position{enc: wired, start: int32(l.Start - d.prefix), member: int32(len(w.f.wired))}
	w.f.wired = append(w.f.wired, d.place(&l))
	if l.Type != "" {
		w.typedValue(l.Type, l.Name, d.at.node, is, d.at.group, at, value)
		return !w.stopped
	}
	if !utf8.ValidString(value) {
		w.flag(exposure.IncompleteUTF8)
	}
	if !w.opened(d.at.node, is, d.at.group, at, value) {
		w.found(is, d.at.group, at, value)
	}
	return !w.stopped
}

// place keeps of a leaf what writing needs.
func (d *document) place(l *wire.Leaf) wiredSpot {
	p := wiredSpot{codec: l.Codec, end: int32(l.End - d.prefix), member: -1, between: l.Between}
	if l.Member >= d.prefix {
		p.member, p.memberEnd = int32(l.Member-d.prefix), int32(l.MemberEnd-d.prefix)
	}
	if l.LengthEnd > 0 {
		p.length, p.lengthEnd = int32(l.Length-d.prefix), int32(l.LengthEnd-d.prefix)
	}
	return p
}

// known is a leaf whose format says what it is.
func (w *walk) known(c exposure.Category, g int32) *leaf {
	_, identifies := exposure.KindOf(c)
	return &leaf{category: c, identifies: identifies, subject: w.f.groups[g].subject}
}
