package detect

// Words calls f with every word of text in order: a run of letters and digits in
// lower case and without diacritics, and where in the text it stands. The word
// is only valid during the call. f returning false ends it.
func Words(text string, f func(word string, start, end int) bool) {}
