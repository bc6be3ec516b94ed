package classify

import "cordon/internal/exposure"

// node is one place in the tries of a route. The walk moves along nodes while
// it moves over the bytes; where a node has no child the walk goes on with nil.
type node struct {
	template string // "personalizations[].to[]"
	keys     []edge
	index    map[string]*node // instead of keys, when there are many
	any      *node            // every key that keys does not name
	elem     *node            // every element
	decoders []edge           // what a string here holds, by decoder
	json     *node            // the one of them for JSON
	own      *node            // the key under which the value stands
	leaf     *leaf            // what a value here is; also of everything below that nothing names
	subject  int32            // the subjects path that begins here, noSubject otherwise

	// What holds only for objects whose keys have certain values: as mapped, and
	// ready to choose from.
	cases    []*conditional
	variants *variants
	// opens: something is mapped below, which a string may hold as a document.
	opens bool
	// varies: conditions are mapped here or somewhere below.
	varies bool
}

type edge struct {
	key  string
	node *node
}

const (
	noSubject   int32 = -1
	rootSubject int32 = 0 // the message itself
	// linearKeys is up to where comparing one by one beats hashing.
	linearKeys = 8
)

// leaf says what a value is.
type leaf struct {
	template string
	category exposure.Category
	none     bool
	// identifies: the category names a person. search: undeclared data is looked
	// for within the value.
	identifies, search bool
	// open: it is mapped as any key of what stands around it.
	open  bool
	marks marks
	// boxes is what is mapped to mailboxes in the place of an address.
	boxes   *boxes
	subject int32 // whose it is: the nearest group around it that began at this subjects path
}

// tries are one route's mappings, by where they look.
type tries struct {
	body, path, query, header, response *node
	// unnamed says that the path has segments without a name: the template's
	// are * or **, or there is no template.
	unnamed bool
	// apart are the subjects that are somebody else than the person around them.
	apart []int32
}

// child is the node under exactly this key.
func (n *node) child(key string) *node {
	if n.index != nil {
		return n.index[key]
	}
	return find(n.keys, key)
}

func find(edges []edge, key string) *node {
	for i := range edges {
		if edges[i].key == key {
			return edges[i].node
		}
	}
	return nil
}

// under is the node that a key leads to, and nil when nothing is mapped there.
func (n *node) under(key string) *node {
	if n == nil {
		return nil
	}
	if next := n.child(key); next != nil {
		return next
	}
	return n.any
}

// named reports whether anything is mapped to the place itself or to its keys,
// as opposed to its elements only.
func (n *node) named() bool {
	return n.leaf != nil || n.keyed() || len(n.decoders) > 0
}

// keyed reports whether a node has mapped keys.
func (n *node) keyed() bool { return n.any != nil || len(n.keys) > 0 }
