package classify

import "net/url"

// InPath reports whether the field is a value that stands in the path itself.
func (f *Field) InPath() bool { return f.src == inPath && f.enc == pathText && f.layer == 0 }

// PathWith is the path with new values of fields that are InPath. It names what
// the request is about, so only a value by which the vendor knows the same
// person may stand there: the token that it got, and never a mask.
func (f *Findings) PathWith(edits []Edit) string {
	t := editor{text: f.message.Path}
	for _, e := range edits {
		at := &f.fields[e.Field]
		t.add(int(at.start), int(at.start)+len(at.raw), url.PathEscape(e.Value))
	}
	return t.apply()
}
