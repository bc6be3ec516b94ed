package openapi

import (
	"strings"
	"unicode"
)

// folded are the letters of European languages without their marks.
var folded = func() map[rune]string {
	m := map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i"}
	for plain, marked := range map[string]string{
		"a": "àáâãäåāăą", "c": "çćĉċč", "d": "ď", "e": "èéêëēĕėęě", "g": "ĝğġģ", "h": "ĥ", "i": "ìíîïĩīĭį", "j": "ĵ", "k": "ķ",
		"l": "ĺļľ", "n": "ñńņňŋ", "o": "òóôõöōŏő", "r": "ŕŗř", "s": "śŝşšș", "t": "ţťț", "u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ", "z": "źżž",
	} {
		for _, r := range marked {
			m[r] = plain
		}
	}
	return m
}()

// words splits a key into its words: camelCase, snake_case, kebab-case, letters
// from digits. They are in lower case, without diacritics, in the singular.
func words(key string) []string {
	var list []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			list = append(list, singular(word.String()))
			word.Reset()
		}
	}
	runes := []rune(key)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case i > 0 && unicode.IsDigit(r) != unicode.IsDigit(runes[i-1]):
			end()
		case i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) && !pluralOfAcronym(runes[i:])):
			end()
		}
		r = unicode.ToLower(r)
		if plain, ok := folded[r]; ok {
			word.WriteString(plain)
		} else {
			word.WriteRune(r)
		}
	}
	end()
	return list
}

// pluralOfAcronym keeps the s of "IDs" with its word.
func pluralOfAcronym(runes []rune) bool {
	return len(runes) > 1 && runes[1] == 's' && (len(runes) == 2 || !unicode.IsLetter(runes[2]) || unicode.IsUpper(runes[2]))
}

// singular takes the plural's ending off. It need not give a proper word, only
// the same for both numbers; the lexicon's words go through it too.
func singular(word string) string {
	switch n := len(word); {
	case n > 4 && strings.HasSuffix(word, "ies"):
		return word[:n-3] + "y"
	case n > 5 && (strings.HasSuffix(word, "sses") || strings.HasSuffix(word, "xes") || strings.HasSuffix(word, "ches")):
		return word[:n-2]
	case n > 3 && strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && !strings.HasSuffix(word, "us") && !strings.HasSuffix(word, "is"):
		return word[:n-1]
	case word == "ids":
		return "id"
	case word == "ips":
		return "ip"
	default:
		return word
	}
}

// phrase joins words as the lexicon keeps them.
func phrase(list []string) string { return strings.Join(list, " ") }
