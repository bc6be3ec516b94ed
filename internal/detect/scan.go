package detect

// Append appends what it finds in text to dst, in order and without overlaps.
// It allocates only when dst has no room.
func Append(dst []Hit, text string, c Context) []Hit {
	return dst
}
