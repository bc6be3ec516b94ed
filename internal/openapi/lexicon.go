package openapi

import (
	_ "embed"
	"fmt"
	"strings"

	"cordon/internal/exposure"
)

//go:embed lexicon.txt
var lexiconText string

// strength is what words are worth by themselves.
type strength string

const (
	sure   strength = "sure"
	person strength = "person"
	place  strength = "place"
	text   strength = "text"
	titled strength = "titled"
	open   strength = "open"
)

// sense is what a phrase of the lexicon means.
type sense struct {
	category exposure.Category
	strength strength
}

// lexicon is what lexicon.txt says.
type lexicon struct {
	senses  map[string][]sense  // by phrase
	longest int                 // words of the longest phrase
	context map[string][]string // by phrase: which surroundings it makes
	sets    map[string]map[string]bool
}

var known = readLexicon(lexiconText)

// readLexicon reads the embedded file; a mistake in it is one in this program.
func readLexicon(text string) *lexicon {
	l := &lexicon{senses: map[string][]sense{}, context: map[string][]string{}, sets: map[string]map[string]bool{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		head, list, ok := strings.Cut(line, ":")
		if !ok {
			panic("openapi: a line of the lexicon without a colon: " + line)
		}
		first, second, _ := strings.Cut(head, " ")
		for written := range strings.SplitSeq(list, ",") {
			split := words(written)
			if len(split) == 0 {
				continue
			}
			l.longest = max(l.longest, len(split))
			for _, p := range spellings(split) {
				switch {
				case second == "":
					if l.sets[first] == nil {
						l.sets[first] = map[string]bool{}
					}
					l.sets[first][p] = true
				case first == "context":
					l.context[p] = append(l.context[p], second)
				default:
					l.add(p, sense{exposure.MustCategory(first), strength(second)})
				}
			}
		}
	}
	return l
}

func (l *lexicon) add(phrase string, s sense) {
	switch s.strength {
	case sure, person, place, text, titled, open:
		l.senses[phrase] = append(l.senses[phrase], s)
	default:
		panic(fmt.Sprintf("openapi: the lexicon has no strength %q", s.strength))
	}
}

// spellings are a phrase in words and, where that is long enough to be
// unmistakable, written together.
func spellings(split []string) []string {
	if joined := singular(strings.Join(split, "")); len(split) > 1 && len(joined) > 5 {
		return []string{phrase(split), joined}
	}
	return []string{phrase(split)}
}

func (l *lexicon) is(set, word string) bool { return l.sets[set][word] }

// found is a phrase of the lexicon in a key.
type found struct {
	senses []sense
	phrase string
	before []string // the key's words in front of it
}

// find gives the phrase that a key is about: the longest that only words of no
// weight follow, and of equally long ones the last, since what a compound is
// stands at its end (email_template_name is a name).
func (l *lexicon) find(key []string) (found, bool) {
	for n := min(l.longest, len(key)); n > 0; n-- {
		for start := len(key) - n; start >= 0; start-- {
			p := phrase(key[start : start+n])
			if senses := l.senses[p]; senses != nil && l.light(key[start+n:]) {
				return found{senses, p, key[:start]}, true
			}
		}
	}
	return found{}, false
}

// light reports whether all words are of no weight.
func (l *lexicon) light(rest []string) bool {
	for _, w := range rest {
		if !l.is("tail", w) && (w[0] < '0' || w[0] > '9') {
			return false
		}
	}
	return true
}

// surroundings gives what the last deciding word of a key makes of its inside:
// person, place, talk, thing, org or infra; nil when none decides.
func (l *lexicon) surroundings(key []string) ([]string, string) {
	for end := len(key); end > 0; end-- {
		for n := min(3, end); n > 0; n-- {
			p := phrase(key[end-n : end])
			if kinds := l.context[p]; kinds != nil {
				return kinds, p
			}
		}
	}
	return nil, ""
}
