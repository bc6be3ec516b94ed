package classify

import (
	"net/url"
	"strings"
)

// InPath reports whether the field is a value that stands in the path itself.
func (f *Field) InPath() bool { return f.src == inPath && f.enc == pathText && f.layer == 0 }

// PathWith is the path with new values of fields that are InPath. It names what
// the request is about, so only a value by which the vendor knows the same
// person may stand there: the token that it got, and never a mask.
func (f *Findings) PathWith(edits []Edit) string {
	t := strings.Builder{}
	pos := 0
	for _, e := range edits { // in the order of fields, which is that of the path
		at := &f.fields[e.Field]
		if int(at.start) < pos {
			continue
		}
		t.WriteString(f.message.Path[pos:at.start])
		t.WriteString(url.PathEscape(e.Value))
		pos = int(at.start) + len(at.raw)
	}
	return t.String() + f.message.Path[pos:]
}
