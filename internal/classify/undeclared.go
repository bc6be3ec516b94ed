package classify

import "cordon/internal/exposure"

// searched reports whether undeclared data is looked for in leaves that a
// mapping calls c. Those that it calls something else are what it says.
func searched(c exposure.Category) bool {
	switch c {
	case exposure.Phone, exposure.UserID, exposure.Username, exposure.Pseudonym:
		return true
	}
	return c.Within(exposure.Text)
}

// undeclared looks for personal data in the value of the field host, which was
// just found: a text, a leaf that no mapping names, a body of an unknown kind.
// l is what the mapping says of it; its keys are w.crumbs, its group is g. The
// value is good until undeclared returns.
func (w *walk) undeclared(l *leaf, g int32, host int, value string) {}
