package classify

import (
	"html"
	"strings"
)

// maxEntity is the length of the longest entity of HTML that stands for a letter
// of a name, with its signs.
const maxEntity = 12

// unentitied writes the entities of HTML in a text as the characters that they
// stand for: J&uuml;rgen is one word. places says where in the text each byte,
// and the end, comes from; nil where the text is as it was.
func unentitied(text string) (plain string, places []int32) {
	from := strings.IndexByte(text, '&')
	if from < 0 || strings.IndexByte(text[from:], ';') < 0 {
		return text, nil
	}
	b := make([]byte, 0, len(text))
	places = make([]int32, 0, len(text)+1)
	for i := 0; i < len(text); {
		if text[i] == '&' {
			if end := strings.IndexByte(text[i:min(len(text), i+maxEntity)], ';'); end > 0 {
				entity := text[i : i+end+1]
				if is := html.UnescapeString(entity); is != entity {
					for range len(is) {
						places = append(places, int32(i))
					}
					b = append(b, is...)
					i += len(entity)
					continue
				}
			}
		}
		b, places = append(b, text[i]), append(places, int32(i))
		i++
	}
	return string(b), append(places, int32(len(text)))
}
