package classify

import (
	_ "embed"
	"strings"

	"cordon/internal/detect"
	"cordon/internal/exposure"
)

// Known is what the directory knows: the ledger is one (keyed hashes), a file in
// memory another.
type Known interface {
	// Needles appends what to look for in messages about the person whom the
	// identifiers name; nothing when that is nobody known.
	Needles(ids []exposure.Identifier, dst []Needle) []Needle
	// Hash is keyed; words are normalised and joined by one blank.
	Hash(words string) uint64
	// Knows reports whether somebody in the directory has the identifier.
	Knows(id exposure.Identifier) bool
}

// Needle is one known value, hashed.
type Needle struct {
	Hash uint64
	// Words is how many words the value has, and whether it counts by itself: of
	// "May" or "Berlin" it takes another known word of the person beside it.
	Words    uint8
	Category exposure.Category
}

// leaning marks, in Words, a needle that counts only beside another.
const leaning = 0x80

func (n *Needle) words() int    { return int(n.Words &^ leaning) }
func (n *Needle) leaning() bool { return n.Words&leaning != 0 }

// maxWindow is the longest row of words that is looked for as one value.
const maxWindow = 6

// phoneTail is how many last digits of a number are looked for, so that it is
// found with the country and without.
const phoneTail = 8

// NeedlesOf gives what to look for of one value of the directory, of which
// messages about the person are searched. Categories of which a word proves
// nothing give none.
//
//	name            each word; the ordinary and the short ones only together
//	phone_number    its last eight digits
//	address.street  all its words, when a house number is among them
//	address         its parts
//	city, postal    only together
//	date_of_birth   the day, however written
//	username        its words
func NeedlesOf(c exposure.Category, value string, hash func(words string) uint64) []Needle {
	switch {
	case c.Within(exposure.Name):
		return nameNeedles(c, value, hash)
	case c == exposure.Phone:
		digits := digitsOf(value)
		if len(digits) < phoneTail-1 {
			return nil
		}
		return []Needle{{Hash: hash(phoneWord(digits)), Words: 1, Category: c}}
	case c == exposure.Street:
		return streetNeedles(value, hash)
	case c == exposure.Address:
		return addressNeedles(value, hash)
	case c == exposure.City, c == exposure.PostalCode:
		return rowNeedle(c, value, leaning, hash)
	case c == exposure.BirthDate:
		return dateNeedles(value, hash)
	case c == exposure.Username:
		if len(value) < 4 || ordinary[folded(value)] {
			return nil
		}
		return rowNeedle(c, value, 0, hash)
	default:
		return nil
	}
}

// nameNeedles looks for each word of a name. The first is the given name and
// the last the family name where both stand in one value.
func nameNeedles(c exposure.Category, value string, hash func(string) uint64) []Needle {
	if before, after, ok := strings.Cut(value, ","); ok && strings.TrimSpace(after) != "" { // Lovelace, Ada
		value = after + " " + before
	}
	words := wordsOf(value)
	var list []Needle
	for i, w := range words {
		of := c
		switch {
		case c != exposure.Name || len(words) == 1:
		case i == 0:
			of = exposure.FirstName
		case i == len(words)-1:
			of = exposure.LastName
		}
		count := uint8(1)
		if ordinary[w] || len([]rune(w)) < 3 && !ideographic(w) || allDigits(w) {
			count |= leaning
		}
		if len([]rune(w)) == 1 && !ideographic(w) || allDigits(w) {
			continue
		}
		list = append(list, Needle{Hash: hash(w), Words: count, Category: of})
	}
	if other := umlauts.Replace(value); other != value {
		for _, n := range nameNeedles(c, other, hash) {
			if !contains(list, n) {
				list = append(list, n)
			}
		}
	}
	return list
}

// umlauts are written so where a keyboard has none.
var umlauts = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "å", "aa", "Å", "Aa", "ø", "oe", "Ø", "Oe")

func contains(list []Needle, n Needle) bool {
	for i := range list {
		if list[i] == n {
			return true
		}
	}
	return false
}

// rowNeedle looks for all words of a value in a row.
func rowNeedle(c exposure.Category, value string, mark uint8, hash func(string) uint64) []Needle {
	words := wordsOf(value)
	if len(words) == 0 || len(words) > maxWindow {
		return nil
	}
	joined := strings.Join(words, " ")
	if len(joined) < 3 {
		return nil
	}
	return []Needle{{Hash: hash(joined), Words: uint8(len(words)) | mark, Category: c}}
}

// streetNeedles looks for a street with its number, whichever stands first. A
// street without a number is where thousands live.
func streetNeedles(value string, hash func(string) uint64) []Needle {
	words := wordsOf(value)
	for i := range words {
		words[i] = streetWord(words[i])
	}
	words = words[:min(len(words), maxWindow)]
	for len(words) > 1 {
		if joined, ok := streetRow(words); ok {
			return []Needle{{Hash: hash(joined), Words: uint8(len(words)), Category: exposure.Street}}
		}
		words = words[:len(words)-1] // what follows the number: a floor, a flat
	}
	return nil
}

// streetRow joins the words of a street with the number first; false when no
// number stands at either end.
func streetRow(words []string) (string, bool) {
	last := len(words) - 1
	switch {
	case last < 1:
		return "", false
	case startsWithDigit(words[0]) && !startsWithDigit(words[last]):
		return strings.Join(words, " "), true
	case startsWithDigit(words[last]) && !startsWithDigit(words[0]):
		return words[last] + " " + strings.Join(words[:last], " "), true
	}
	return "", false
}

// streetWord is the short form of what streets are called.
func streetWord(w string) string {
	switch w {
	case "street":
		return "st"
	case "road":
		return "rd"
	case "avenue":
		return "ave"
	case "boulevard":
		return "blvd"
	case "drive":
		return "dr"
	case "lane":
		return "ln"
	case "court":
		return "ct"
	case "square":
		return "sq"
	case "place":
		return "pl"
	case "strasse":
		return "str"
	case "calle":
		return "c"
	}
	if stem, ok := strings.CutSuffix(w, "strasse"); ok {
		return stem + "str"
	}
	return w
}

// addressNeedles takes an address in one value apart.
func addressNeedles(value string, hash func(string) uint64) []Needle {
	var list []Needle
	for i, part := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == '\n' || r == ';' }) {
		if street := streetNeedles(part, hash); i < 2 && len(street) > 0 && !hasStreet(list) && len(wordsOf(part)) > 1 && !startsWithPostal(part) {
			list = append(list, street...)
			continue
		}
		var postal, city []string
		for _, w := range wordsOf(part) {
			if strings.ContainsAny(w, "0123456789") {
				postal = append(postal, w)
			} else if len(w) > 2 {
				city = append(city, w)
			}
		}
		list = append(list, rowNeedle(exposure.PostalCode, strings.Join(postal, " "), leaning, hash)...)
		list = append(list, rowNeedle(exposure.City, strings.Join(city, " "), leaning, hash)...)
	}
	return list
}

func hasStreet(list []Needle) bool {
	for i := range list {
		if list[i].Category == exposure.Street {
			return true
		}
	}
	return false
}

// startsWithPostal reports whether a part of an address begins with four or
// more digits: a postal code and no house.
func startsWithPostal(part string) bool {
	part = strings.TrimSpace(part)
	return len(part) >= 4 && allDigits(part[:4])
}

// dateNeedles looks for a day. Where day and month could change places, for
// both.
func dateNeedles(value string, hash func(string) uint64) []Needle {
	if date, _, ok := strings.Cut(value, "T"); ok && len(date) >= 8 {
		value = date
	}
	words := wordsOf(value)
	if len(words) == 1 && len(words[0]) == 8 && allDigits(words[0]) {
		w := words[0]
		words = []string{w[:4], w[4:6], w[6:]}
	}
	if len(words) < 3 {
		return nil
	}
	var list []Needle
	for _, day := range daysOf(words[0], words[1], words[2]) {
		if day != 0 {
			list = append(list, Needle{Hash: hash(dayWord(day)), Words: 3, Category: exposure.BirthDate})
		}
	}
	return list
}

func wordsOf(value string) (list []string) {
	detect.Words(value, func(w string, _, _ int) bool {
		list = append(list, strings.Clone(w))
		return len(list) < 16
	})
	return list
}

func folded(value string) string { return strings.Join(wordsOf(value), " ") }

func digitsOf(value string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, value)
}

// phoneWord and dayWord are what numbers and days are hashed as; words begin
// with a letter or digit, so nothing else is hashed alike.
func phoneWord(digits string) string { return "+" + digits[max(0, len(digits)-phoneTail):] }

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// ideographic reports whether a word is of a script in which one or two
// characters are a name.
func ideographic(w string) bool {
	for _, r := range w {
		return r >= 0x2E80 && r < 0xD7B0 || r >= 0x20000
	}
	return false
}

// ordinary are words that are names too, and words within names: alone they
// prove nothing.
var ordinary = func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(ordinaryWords) {
		if !strings.HasPrefix(line, "#") {
			for _, w := range strings.Fields(line) {
				m[w] = true
			}
		}
	}
	return m
}()

//go:embed known_ordinary.txt
var ordinaryWords string
