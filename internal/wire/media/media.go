// Package media reads what images and films say of people beside the picture.
package media

import (
	"cordon/internal/exposure"
	"cordon/internal/wire"
)

// Type is the media type of an image or film that Read reads, known by its
// first bytes ("image/jpeg"); "" for everything else.
func Type(text string) string { return "" }

// Read tells v of positions, serial numbers, names and comments.
func Read(text string, v wire.Visitor) {
	v.Problem(exposure.IncompleteContentType)
}
