package classify

import (
	"strings"

	"cordon/internal/exposure"
)

// maxAside bounds what is remembered of what a mapping calls nobody's.
const maxAside = 64

// setAside remembers a value that a mapping says is nobody's and that looks like
// an address. A sender, or where replies go, is the organisation's own in most
// companies and a customer's on a market place: the directory tells them apart.
func (w *walk) setAside(l *leaf, g int32, at position, raw string) {
	if len(w.f.aside) == maxAside || strings.IndexByte(raw, '@') < 0 && !strings.Contains(raw, "%40") && !strings.Contains(raw, `\u0040`) {
		return
	}
	w.f.aside = append(w.f.aside, Field{Category: exposure.Email, Path: l.template, raw: raw, group: g, spot: spot{at, w.layer, w.src}})
}

// aside makes fields of what was set aside and is somebody's whom the message
// names or the directory knows.
func (s *search) aside() {
	for _, at := range s.f.aside {
		id, ok := at.names()
		if !ok || len(s.f.fields) >= maxFields {
			continue
		}
		owner := s.p.has(id)
		if owner == nobody {
			if !s.known.Knows(id) {
				continue
			}
			owner = s.p.stranger(id)
		}
		at.group = s.p.group(owner)
		s.f.fields = append(s.f.fields, at)
		s.changed = true
	}
	s.f.aside = nil
}
