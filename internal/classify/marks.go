package classify

import (
	"strings"

	"cordon/internal/exposure"
)

// marks are what is known of a field besides its category.
type marks uint16

const (
	unnamed marks = 1 << iota // no mapping names it
	derived                   // it lies within another field's value
	checked                   // a checksum holds
	hashed                    // the app hashed it itself
	deliver                   // the vendor needs it to reach the person
	render                    // the vendor shows it to the person
	bare                      // it is the whole of a number
	several                   // the mapping has a list of it for one person
	covered                   // a mapping speaks of what stands around it or of any key, not of it
)

// Derived reports whether the field is a piece of another field's value, found
// there by its shape or because it is known of a person, and gives that field's
// index in Findings.Fields. What happens to the host happens to it.
func (f *Field) Derived() (host int, ok bool) { return int(f.host), f.marks&derived != 0 }

// Checked reports whether the value has a checksum and it holds.
func (f *Field) Checked() bool { return f.marks&checked != 0 }

// Hashed reports whether the app hashed the value itself.
func (f *Field) Hashed() bool { return f.marks&hashed != 0 }

// Deliver reports whether the vendor needs the value to reach the person.
func (f *Field) Deliver() bool { return f.marks&deliver != 0 }

// Render reports whether the vendor shows the value to the person.
func (f *Field) Render() bool { return f.marks&render != 0 }

// Unnamed reports whether no mapping names the field.
func (f *Field) Unnamed() bool { return f.marks&unnamed != 0 }

// searched reports whether undeclared data is looked for in the field: in texts,
// in what no mapping names, and in what one only covers. "properties.*" says
// what such values are about; which values an app puts there it cannot know.
func (f *Field) searched() bool {
	return f.marks&derived == 0 && (f.marks&(unnamed|covered) != 0 || searched(f.Category))
}

// derive adds a field that is value[start:end] of the value of the field host,
// and returns its index; -1 when the message has too many fields. It may be
// called while the message is read and afterwards.
func (f *Findings) derive(host, start, end int, value string, c exposure.Category, group int32, m marks) int {
	if len(f.fields) >= maxFields {
		return -1
	}
	at := &f.fields[host]
	if at.Bare() && start == 0 && end == len(value) {
		m |= bare
	}
	f.fields = append(f.fields, Field{
		Category: c, Path: at.Path, marks: derived | m&(checked|bare) | at.marks&(deliver|render|unnamed),
		// The value may stand in memory that is used again.
		raw: strings.Clone(value[start:end]), group: group, host: int32(host),
		spot: spot{position{enc: piece, start: int32(start), member: -1}, at.layer, at.src},
	})
	return len(f.fields) - 1
}
