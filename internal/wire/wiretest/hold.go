package wiretest

import (
	"slices"
	"strings"
	"testing"

	"cordon/internal/wire"
)

// Hold checks, for any document, what every reader promises:
//   - a value that is written as it was read leaves the document equivalent;
//   - whatever set of members goes, and whatever is emptied, the rest reads
//     without new problems and without what went;
//   - a new value is what is read afterwards, or is refused;
//   - a visitor that stops is not called again.
//
// pick chooses the set that goes: leaf i goes when bit i%64 is set.
func Hold(t testing.TB, text string, read func(string, wire.Visitor), pick uint64) {
	t.Helper()
	tree := Read(t, text, read)
	if len(tree.Leaves) > 0 {
		ReadSome(t, text, read, 1+int(pick%uint64(len(tree.Leaves))))
	}
	identity := map[int]string{}
	for i, f := range tree.Leaves {
		if f.OK {
			identity[i] = f.Value
		}
	}
	if same, ok := tree.Replace(identity); !ok {
		for i, v := range identity {
			if _, ok := tree.Leaves[i].Codec.Encode(v, tree.Leaves[i].Raw); !ok {
				t.Fatalf("%s: a value cannot be written as it was: %q as %q", tree.Leaves[i].Path, v, tree.Leaves[i].Raw)
			}
		}
	} else if again := Read(t, same, read); again.String() != tree.String() {
		t.Fatalf("identity changed\n%q\nto\n%q\nread\n%s\nbefore\n%s", text, same, again, tree)
	}
	var gone []int
	for i := range tree.Leaves {
		if pick>>(i%64)&1 == 1 {
			gone = append(gone, i)
		}
	}
	left, ok := tree.Drop(gone...)
	if !ok {
		return
	}
	after := Read(t, left, read)
	for _, p := range after.Problems {
		if !slices.Contains(tree.Problems, p) {
			t.Fatalf("new problem %s in\n%q\nof\n%q\nwithout %d", p, left, text, gone)
		}
	}
	if len(after.Leaves) > len(tree.Leaves) {
		t.Fatalf("more than before in\n%q\nof\n%q\nwithout %d", left, text, gone)
	}
	if len(tree.Problems) > 0 {
		return // read in several ways before, so perhaps in others now
	}
	values := func(of *Tree, skip []int) (list []string) {
		for i, f := range of.Leaves {
			if !slices.Contains(skip, i) && f.Value != "" && !of.within(i, skip) {
				list = append(list, f.Value)
			}
		}
		return list
	}
	// Texts that stood on both sides of what went may be one now.
	squeeze := func(list []string) string { return strings.Join(strings.Fields(strings.Join(list, "")), "") }
	if kept, have := values(tree, gone), values(after, nil); squeeze(kept) != squeeze(have) {
		t.Fatalf("left are\n%q\nwanted\n%q\nin\n%q\nof\n%q\nwithout %d", have, kept, left, text, gone)
	}
}

// within reports whether leaf i lies in the member of one that goes.
func (tree *Tree) within(i int, gone []int) bool {
	for _, g := range gone {
		if m := tree.Leaves[g]; g != i && m.Member >= 0 && m.Member <= tree.Leaves[i].Start && tree.Leaves[i].End <= m.MemberEnd {
			return true
		}
	}
	return false
}

// HoldValue writes value into leaf i and reads it there again, unless the codec
// refuses it.
func HoldValue(t testing.TB, text string, read func(string, wire.Visitor), i int, value string) {
	t.Helper()
	tree := Read(t, text, read)
	if len(tree.Leaves) == 0 || len(tree.Problems) > 0 {
		return
	}
	i %= len(tree.Leaves)
	written, ok := tree.Replace(map[int]string{i: value})
	if !ok {
		return
	}
	after := Read(t, written, read)
	if len(after.Problems) > 0 {
		t.Fatalf("new problem %s in\n%q\nof\n%q\nwith %q", after.Problems[0], written, text, value)
	}
	if value == "" {
		return
	}
	if len(after.Leaves) != len(tree.Leaves) {
		t.Fatalf("other leaves in\n%q\nof\n%q\nwith %q in %s", written, text, value, tree.Leaves[i].Path)
	}
	for n, f := range after.Leaves {
		want := tree.Leaves[n].Value
		if n == i {
			want = value
		}
		if f.Value != want {
			t.Fatalf("%s is %q, wanted %q in\n%q\nof\n%q", f.Path, f.Value, want, written, text)
		}
	}
}
