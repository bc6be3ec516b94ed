package detect

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// meaning says what a word tells about a number beside it.
type meaning uint64

func (m meaning) any(of meaning) bool { return m&of != 0 }

// settles is what leaves nothing for words farther away to say.
const settles = ofThing | ofTime | ofAmount | ofPhone | ofVersion

// How far a word may stand from what it explains.
const (
	maxBefore = 64 // bytes
	maxWords  = 8
	maxAfter  = 16
)

// near holds what the words before a value mean, the nearest first: those of
// the text, then those of the key.
type near struct {
	at, n int
	ready bool
	words [maxWords + 4]meaning
	// own is how many of words stand in the text.
	own int
	all meaning // of all of them
}

// says reports whether of the words that have anything to say about it, for or
// against, the nearest is for it, and how many words away that is.
func (n *near) says(forIt, against meaning) (distance int, ok bool) {
	for i, m := range n.words[:n.n] {
		switch {
		case m.any(forIt):
			return i, true
		case n.against(i, against):
			return i, false
		}
	}
	return n.n, false
}

// denies reports whether the nearest word with anything to say is against it.
func (n *near) denies(forIt, against meaning) bool {
	for i, m := range n.words[:n.n] {
		switch {
		case m.any(forIt):
			return false
		case n.against(i, against):
			return true
		}
	}
	return false
}

// against: an id is only the number right behind it ("id" of "phone_id").
func (n *near) against(i int, of meaning) bool {
	if i > 0 {
		of &^= isID
	}
	return n.words[i].any(of)
}

// before reads the words before start; once for each place.
func (sc *scanner) before(start int) *near {
	n := &sc.near
	if n.ready && n.at == start {
		return n
	}
	n.ready, n.at, n.n = true, start, 0
	readWords(n, sc.s, start, maxWords, true)
	n.own = n.n
	readWords(n, sc.key, len(sc.key), len(n.words), false)
	n.all = 0
	for i := range n.n {
		n.all |= n.words[i]
		switch {
		case i == 0:
		case i < n.own && n.words[i-1].any(ofNumber) && n.words[i].any(ofMine): // "my number is"
			n.words[i-1] |= ofCall
		case n.words[i-1].any(ofFile) && n.words[i].any(ofTax): // "tax file number"
			n.words[i-1] = ofAustralia
			n.all |= ofAustralia
		}
	}
	return n
}

// readWords appends the meanings of the words of s before end, nearest first.
func readWords(n *near, s string, end, limit int, sentence bool) {
	i := end
	lowest := max(0, end-maxBefore)
	lines := 0
	for i > lowest && n.n < limit {
		c := s[i-1]
		switch {
		case isLetter(c) || c >= utf8.RuneSelf && joinsAny(s[:i]):
			if start := lowerStart(s, i, lowest); sentence && start < i {
				if m, known := meaningOfLower(s[start:i]); known || i-start > 1 {
					n.words[n.n] = m
					n.n++
					if m.any(settles) && !m.any(ofFile) {
						return
					}
				}
				i = start
				continue
			}
			start := wordStart(s, i, max(0, lowest-16))
			if !sentence && n.n == n.own && s[start:i] == "at" { // phone_verified_at
				n.words[n.n] = ofTime
				n.n++
			} else if !sentence && n.n == n.own && start >= 3 && s[start-3:i] == "wa_id" { // WhatsApp's id is the number
				n.words[n.n] = ofPhone
				n.n++
				return
			} else if m, known := meaningOf(s[start:i]); known || i-start > 1 {
				n.words[n.n] = m
				n.n++
				if m.any(settles) && !m.any(ofFile) {
					return
				}
			}
			i = start
			continue
		case c == '\n':
			if lines++; lines > 2 {
				return
			}
		case !sentence:
		case c == ',' && i < len(s) && i >= 2 && (s[i] == '"' || s[i] == '{') && !isLetter(s[i-2]):
			return // the member before, in JSON
		case (c == '.' || c == '!' || c == '?' || c == ';') && i < end && s[i] == ' ':
			// A sentence ends, unless it is "tel." or "no.".
			w := i - 1
			for w > lowest && isLetter(s[w-1]) {
				w--
			}
			if c != '.' || i-1-w > 4 || i-1-w == 0 || n.n > 0 {
				return
			}
		}
		i--
	}
}

// lowerStart is where the word that ends at end begins, when it is of small
// ASCII letters as most are; end otherwise.
func lowerStart(s string, end, lowest int) int {
	i := end
	for i > lowest && s[i-1]-'a' < 26 {
		i--
	}
	if i > 0 && (s[i-1] >= utf8.RuneSelf || isLetter(s[i-1])) {
		return end
	}
	return i
}

// joinsAny is joins, for scripts without blanks too.
func joinsAny(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLetter(r) || unicode.IsMark(r)
}

// wordStart is where the word that ends at end begins. Names of fields end
// where the case changes: phoneNumber is two words.
func wordStart(s string, end, lowest int) int {
	i := end
	for i > lowest {
		c := s[i-1]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeLastRuneInString(s[:i])
			if !unicode.IsLetter(r) && !unicode.IsMark(r) {
				break
			}
			i -= n
			continue
		}
		if !isLetter(c) {
			break
		}
		i--
		if c < 'a' && i > lowest && i+1 < end {
			if p := s[i-1]; p >= 'a' && p <= 'z' || p-'A' < 26 && s[i+1] >= 'a' && s[i+1] <= 'z' {
				break
			}
		}
	}
	return i
}

// endings are what languages put behind a word to name a number or an id.
var endings = []string{"number", "nummer", "numero", "num", "nr", "no", "id", "address", "code"}

// meaningOfLower looks up a word of small ASCII letters.
func meaningOfLower(word string) (meaning, bool) {
	if m, ok := meanings.lower(word); ok {
		return m, true
	}
	if n := len(word); n < 4 || !endsInOne[word[n-1]] {
		return 0, false
	}
	return meaningOf(word)
}

// meaningOf looks a word up, whatever its case and accents.
func meaningOf(word string) (meaning, bool) {
	for i := 0; i < len(word); i++ {
		if word[i] >= utf8.RuneSelf {
			if len(word) > 48 {
				return meaningOfLong(word)
			}
			return meaningOfWide(word)
		}
	}
	if len(word) > 48 {
		return 0, false
	}
	if m, ok := meanings.letters(word); ok {
		return m, true
	}
	n := len(word)
	if n < 4 || !endsInOne[word[n-1]|0x20] {
		return 0, false
	}
	for _, end := range endings {
		if n > len(end)+1 && equalFold(word[n-len(end):], end) {
			stem := word[:n-len(end)]
			if m, ok := meanings.letters(stem); ok {
				return m, true
			}
			if last := stem[len(stem)-1] | 0x20; last == 's' || last == 'e' { // Rückrufsnummer
				if m, ok := meanings.letters(stem[:len(stem)-1]); ok {
					return m, true
				}
			}
		}
	}
	return 0, false
}

// endsInOne are the last letters of endings.
var endsInOne = func() (t [256]bool) {
	for _, e := range endings {
		t[e[len(e)-1]] = true
	}
	return t
}()

func meaningOfLong(word string) (meaning, bool) {
	if r, _ := utf8.DecodeRuneInString(word); unspaced(r) {
		return meaningOfWide(word)
	}
	return 0, false
}

// meaningOfWide looks up a word that is not ASCII.
func meaningOfWide(word string) (meaning, bool) {
	if r, _ := utf8.DecodeLastRuneInString(word); unspaced(r) {
		// What is nearest to the number decides; these texts have no blanks.
		if len(word) > 48 {
			word = word[len(word)-48:]
		}
		best, found, at := meaning(0), false, -1
		for i := range phrases {
			if p := strings.LastIndex(word, phrases[i].text); p > at {
				best, found, at = phrases[i].meaning, true, p
			}
		}
		return best, found
	}
	var buf [48]byte
	n := 0
	for _, r := range word {
		if n+8 > len(buf) {
			return 0, false
		}
		n += fold(buf[n:], r)
	}
	ascii := true
	for _, c := range buf[:n] {
		ascii = ascii && c < utf8.RuneSelf
	}
	if ascii { // it had accents only
		return meaningOf(string(buf[:n]))
	}
	return meanings.of(buf[:n])
}
