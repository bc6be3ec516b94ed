// Package wiretest holds what the tests of all readers share: a visitor that
// writes down what it is told and checks that the reader keeps its word, and
// the rewriting of a document as the classifier does it.
package wiretest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Found is a leaf with the way to it.
type Found struct {
	wire.Leaf
	Path  string
	Raw   string
	Value string
	OK    bool // Value is all of it
}

// Tree is a visitor that keeps everything.
type Tree struct {
	Leaves   []Found
	Problems []exposure.Reason
	// Stop is after how many leaves the budget is spent; 0: never.
	Stop int

	t    testing.TB
	text string
	path []string
}

// Read runs a reader over text and fails the test when the reader breaks the
// contract of wire.Visitor: places outside the text, leaves that overlap, calls
// that do not balance.
func Read(t testing.TB, text string, read func(string, wire.Visitor)) *Tree {
	t.Helper()
	return ReadSome(t, text, read, 0)
}

// ReadSome is Read by a visitor that wants no more after a number of leaves.
func ReadSome(t testing.TB, text string, read func(string, wire.Visitor), leaves int) *Tree {
	t.Helper()
	tree := &Tree{t: t, text: text, Stop: leaves}
	read(text, tree)
	if len(tree.path) != 0 {
		t.Errorf("left inside %q", strings.Join(tree.path, ""))
	}
	tree.disjoint()
	return tree
}

func (tree *Tree) Enter(key string)  { tree.push("." + key) }
func (tree *Tree) Element(index int) { tree.push("[" + strconv.Itoa(index) + "]") }

func (tree *Tree) push(step string) {
	tree.path = append(tree.path, step)
	if len(tree.path) > 200 {
		tree.t.Fatalf("nested too deep: %q", tree.path[:8])
	}
}

func (tree *Tree) Leave() {
	if len(tree.path) == 0 {
		tree.t.Fatal("left the document")
	}
	tree.path = tree.path[:len(tree.path)-1]
}

func (tree *Tree) Leaf(l wire.Leaf) bool {
	if tree.Stop > 0 && len(tree.Leaves) >= tree.Stop {
		tree.t.Fatal("read on after the budget was spent")
	}
	f := Found{Leaf: l, Path: strings.TrimPrefix(strings.Join(tree.path, ""), ".")}
	within := func(start, end int) bool { return 0 <= start && start <= end && end <= len(tree.text) }
	if !within(l.Start, l.End) || l.Member >= 0 && !within(l.Member, l.MemberEnd) || !within(l.Length, l.LengthEnd) {
		tree.t.Fatalf("%s: outside the text of %d bytes: %+v", f.Path, len(tree.text), l)
	}
	if l.Member >= 0 && (l.Member > l.Start || l.MemberEnd < l.End) {
		tree.t.Fatalf("%s: the value is not within its member: %+v", f.Path, l)
	}
	f.Raw = tree.text[l.Start:l.End]
	f.Value, f.OK = l.Codec.Decode(f.Raw)
	tree.Leaves = append(tree.Leaves, f)
	return tree.Stop == 0 || len(tree.Leaves) < tree.Stop
}

func (tree *Tree) Problem(r exposure.Reason) {
	if r == "" {
		tree.t.Fatal("a problem without a reason")
	}
	if !slices.Contains(tree.Problems, r) {
		tree.Problems = append(tree.Problems, r)
	}
}

// disjoint holds that no two values overlap, so that every one can be edited,
// and that members are apart or one within the other.
func (tree *Tree) disjoint() {
	tree.t.Helper()
	byStart := slices.Clone(tree.Leaves)
	slices.SortStableFunc(byStart, func(a, b Found) int { return a.Start - b.Start })
	for i := 1; i < len(byStart); i++ {
		if a, b := byStart[i-1], byStart[i]; a.End > b.Start {
			tree.t.Fatalf("%s %d:%d and %s %d:%d overlap", a.Path, a.Start, a.End, b.Path, b.Start, b.End)
		}
	}
	members := slices.DeleteFunc(byStart, func(f Found) bool { return f.Member < 0 })
	slices.SortStableFunc(members, func(a, b Found) int {
		if a.Member != b.Member {
			return a.Member - b.Member
		}
		return b.MemberEnd - a.MemberEnd
	})
	var open []Found
	for _, m := range members {
		for len(open) > 0 && open[len(open)-1].MemberEnd <= m.Member {
			open = open[:len(open)-1]
		}
		if len(open) > 0 && open[len(open)-1].MemberEnd < m.MemberEnd {
			tree.t.Fatalf("the members of %s and %s overlap", open[len(open)-1].Path, m.Path)
		}
		open = append(open, m)
	}
}

// Get is the value at a path; the test fails when there is none.
func (tree *Tree) Get(path string) string {
	tree.t.Helper()
	for _, f := range tree.Leaves {
		if f.Path == path {
			return f.Value
		}
	}
	tree.t.Errorf("nothing at %s; there are\n%s", path, tree)
	return ""
}

// Want compares everything found with lines of "path=value", a broken value
// with "path!value", and the problems with lines of "!reason".
func (tree *Tree) Want(lines ...string) {
	tree.t.Helper()
	if got, want := tree.String(), strings.Join(lines, "\n"); got != want {
		tree.t.Errorf("read\n%s\n\nwanted\n%s", got, want)
	}
}

func (tree *Tree) String() string {
	var lines []string
	for _, f := range tree.Leaves {
		mark := "="
		if !f.OK {
			mark = "!"
		}
		line := f.Path + mark + f.Value
		if f.Type != "" {
			line += fmt.Sprintf(" <%s>", f.Type)
		}
		if f.Name != "" {
			line += fmt.Sprintf(" name=%s", f.Name)
		}
		if f.Known {
			line += fmt.Sprintf(" (%s)", f.Category)
		}
		lines = append(lines, line)
	}
	for _, p := range tree.Problems {
		lines = append(lines, "!"+string(p))
	}
	return strings.Join(lines, "\n")
}
