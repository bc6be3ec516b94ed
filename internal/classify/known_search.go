package classify

import (
	"slices"
	"strings"
	"unicode/utf8"

	"cordon/internal/detect"
	"cordon/internal/exposure"
)

// Search looks for what the directory knows of the people of the message in its
// texts and in what no mapping names. No shape gives a name away; but whom the
// message is about is known here, and what they are called need only be found.
//
// It is called once, between Classify and Clear. k may be nil: then nothing is
// known of anybody.
func (f *Findings) Search(k Known) {
	if k == nil {
		return
	}
	s := search{f: f, known: k, p: placing{f: f}}
	unknown := len(f.people) // without nobody, who comes last
	if unknown > 0 && len(f.people[unknown-1].Identifiers) == 0 {
		unknown--
	}
	nobodyAtAll := f.people[unknown:]
	f.people = f.people[:unknown]
	s.acquaintances()
	s.aside()
	s.needles()
	if len(s.list) > 0 {
		for i, n := 0, len(f.fields); i < n; i++ {
			if at := &f.fields[i]; at.searched() {
				s.field(i)
			}
		}
	}
	if s.changed {
		var again scratch
		f.collect(&again)
	} else {
		f.people = append(f.people, nobodyAtAll...)
	}
}

// search is one search of a message.
type search struct {
	f       *Findings
	known   Known
	p       placing
	changed bool

	// list are the needles of all people, those of one hash together, of which
	// first is where they begin.
	list  []needle
	first map[uint64]int32
	// windows says which numbers of words are looked for in a row; days and
	// phones whether any are.
	windows      [maxWindow + 1]bool
	days, phones bool

	// host is the field that is searched, text its value, words its words.
	host  int
	text  string
	words window
	hits  []sighting
	names [2]named // the last two words that are part of names, the last one first
	runs  []run
	lean  []sighting
	// inside are the people whom the shared groups concern.
	inside map[inside]bool
}

type needle struct {
	Needle
	person int32
}

// sighting is a needle seen in the text.
type sighting struct {
	start, end int
	word       int // the number of the last word
	person     int32
	category   exposure.Category
	full       bool // it proves who is meant, whomever the text concerns
}

// run is a row of words of one person's name.
type run struct {
	sighting
	hash uint64 // of the last word
}

// named is a word that is part of people's names.
type named struct {
	needles    []needle // by person
	start, end int
	word       int
}

// acquaintances makes people of those whom a text names by address or number
// and whom the directory knows.
func (s *search) acquaintances() {
	f := s.f
	for i := range f.fields {
		at := &f.fields[i]
		id, ok := at.identifier()
		if !ok || f.groups[at.group].person != nobody {
			continue
		}
		owner := s.p.has(id)
		if owner == nobody {
			if !s.known.Knows(id) {
				continue
			}
			if owner = s.reached(id); owner == nobody {
				owner = s.p.stranger(id)
			}
		}
		at.group = s.p.group(owner)
		s.changed = true
	}
}

// reached is the one person of the message whose number the directory has and
// the text writes as within the country; nobody when that is none, or several.
func (s *search) reached(id exposure.Identifier) int32 {
	digits := digitsOf(id.Value)
	if id.Kind != exposure.KindPhone || len(digits) < phoneTail || len(s.f.people) > few {
		return nobody
	}
	owner, hash := int32(nobody), s.known.Hash(phoneWord(digits))
	for i := range s.f.people {
		for _, n := range s.known.Needles(s.f.people[i].Identifiers, nil) {
			if n.Category != exposure.Phone || n.Hash != hash || owner == int32(i) {
				continue
			}
			if owner != nobody {
				return nobody
			}
			owner = int32(i)
		}
	}
	return owner
}

// needles gathers what is known of each person.
func (s *search) needles() {
	var room []Needle
	for i := range s.f.people {
		room = s.known.Needles(s.f.people[i].Identifiers, room[:0])
		for _, n := range room {
			if n.words() == 0 || n.words() > maxWindow {
				continue
			}
			s.list = append(s.list, needle{n, int32(i)})
			switch n.Category {
			case exposure.Phone:
				s.phones = true
			case exposure.BirthDate:
				s.days = true
			default:
				s.windows[n.words()] = true
			}
		}
	}
	slices.SortFunc(s.list, func(a, b needle) int {
		switch {
		case a.Hash < b.Hash:
			return -1
		case a.Hash > b.Hash:
			return 1
		}
		return int(a.person) - int(b.person)
	})
	s.first = make(map[uint64]int32, len(s.list))
	for i := len(s.list) - 1; i >= 0; i-- {
		s.first[s.list[i].Hash] = int32(i)
	}
}

// of are the needles of a hash.
func (s *search) of(hash uint64) []needle {
	i, ok := s.first[hash]
	if !ok {
		return nil
	}
	end := int(i)
	for end < len(s.list) && s.list[end].Hash == hash {
		end++
	}
	return s.list[i:end]
}

// field searches one field's value.
func (s *search) field(i int) {
	s.host, s.text = i, s.f.fields[i].Value()
	s.hits, s.runs, s.lean = s.hits[:0], s.runs[:0], s.lean[:0]
	if len(s.text) < 3 {
		return
	}
	s.words.reset()
	s.names = [2]named{}
	markup := strings.IndexByte(s.text, '<') >= 0
	for from := 0; from < len(s.text); {
		// Of markup only what is read is searched: what stands around a tag is
		// still one text.
		end, next := len(s.text), len(s.text)
		if markup {
			end, next = tag(s.text, from)
		}
		base := from
		text, places := unentitied(s.text[from:end])
		detect.Words(text, func(w string, start, end int) bool {
			if places != nil {
				start, end = int(places[start]), int(places[end])
			}
			s.word(w, base+start, base+end)
			return len(s.hits) < maxSightings
		})
		from = next
	}
	s.ended(1 << 30)
	if len(s.hits) >= maxSightings { // the rest was not searched
		s.overflow()
	}
	if s.phones {
		s.numbers()
	}
	s.leaning()
	s.settle()
}

// maxSightings bounds what one value can give.
const maxSightings = 10_000

// tag is where the text from i on stops being text, and where it goes on behind
// the tag that begins there.
func tag(s string, i int) (end, next int) {
	for at := i; ; {
		open := strings.IndexByte(s[at:], '<')
		if open < 0 || at+open+1 >= len(s) {
			return len(s), len(s)
		}
		at += open
		if c := s[at+1] | 0x20; c == '/' || c == '!' || 'a' <= c && c <= 'z' {
			if shut := strings.IndexByte(s[at:min(len(s), at+4096)], '>'); shut > 0 && strings.IndexByte(s[at:at+shut], '@') < 0 {
				return at, at + shut + 1
			}
		}
		at++
	}
}

// word takes the next word of the text.
func (s *search) word(w string, start, end int) {
	number := s.words.push(w, start, end)
	if s.windows[1] {
		s.single(s.of(s.known.Hash(w)), number, start, end)
		if ideographic(w) {
			s.ideographs(number, start, end)
		}
	}
	for count := 2; count <= maxWindow && count <= s.words.n; count++ {
		if s.windows[count] {
			s.row(count, number)
		}
	}
	if s.days && s.words.n >= 3 {
		s.day(number)
	}
	s.ended(number)
}

// manyNamesakes is from how many people on a word says nothing about any of
// them, unless the text concerns one.
const manyNamesakes = 8

// counted is how many of a word's needles are looked at to see what it is: of
// ten thousand recipients who are all called Anna each Anna in the text would
// cost ten thousand steps.
const counted = 64

// single takes one word that people's values have.
func (s *search) single(of []needle, number, start, end int) {
	names := 0
	for i := range of[:min(len(of), counted)] {
		switch n := &of[i]; {
		case n.words() != 1:
		case n.Category.Within(exposure.Name):
			names++
		case i > manyNamesakes:
		case n.leaning():
			if len(s.lean) < maxSightings {
				s.lean = append(s.lean, sighting{start, end, number, n.person, n.Category, false})
			}
		default:
			s.hits = append(s.hits, sighting{start, end, number, n.person, n.Category, n.Category != exposure.Username})
		}
	}
	if len(of) > counted {
		names = len(of) // some of them at least; too many to mean any one
	}
	if names == 0 {
		return
	}
	at := named{of, start, end, number}
	s.together(&at)
	s.names[0], s.names[1] = at, s.names[0]
	alone := func(n *needle) {
		h := sighting{start, end, number, n.person, n.Category, false}
		if !n.leaning() || s.wholly(&h) {
			s.hits = append(s.hits, h)
		}
	}
	if own := s.own(); own != nobody {
		if n := person(of, own, 0); n != nil {
			alone(n)
			return
		}
	}
	if names <= manyNamesakes {
		for i := range of {
			if of[i].words() == 1 && of[i].Category.Within(exposure.Name) {
				alone(&of[i])
			}
		}
	}
}

// own is the person whose value is searched, nobody when it is shared.
func (s *search) own() int32 {
	if g := &s.f.groups[s.f.fields[s.host].group]; !g.shared() {
		return g.person
	}
	return nobody
}

// person finds the needle of a person's name that has not this hash.
func person(of []needle, person int32, not uint64) *needle {
	i, found := slices.BinarySearchFunc(of, person, func(n needle, p int32) int { return int(n.person) - int(p) })
	for ; found && i < len(of) && of[i].person == person; i++ {
		if n := &of[i]; n.Hash != not && n.words() == 1 && n.Category.Within(exposure.Name) {
			return n
		}
	}
	return nil
}

// together joins a word with the name's word before it: of the people who have
// both. Where these are many, nobody is meant by it.
func (s *search) together(at *named) {
	before := &s.names[0]
	switch {
	case before.needles == nil:
		return
	case before.word == at.word-1:
	case before.word == at.word-2 && between(s.words.last(1)): // an initial, a particle
	default:
		return
	}
	few, many, last := before.needles, at.needles, true
	if len(many) < len(few) {
		few, many, last = many, few, false
	}
	matches := 0
	for i := range few[:min(len(few), 64)] {
		n := &few[i]
		if n.words() != 1 || !n.Category.Within(exposure.Name) {
			continue
		}
		other := person(many, n.person, n.Hash)
		if other == nil {
			continue
		}
		if matches++; matches > manyNamesakes {
			return
		}
		hash := n.Hash
		if last {
			hash = other.Hash
		}
		// "de la" stands in half of all French texts: such words belong to a name
		// that goes on before or behind them, and make none.
		s.extend(run{sighting{before.start, at.end, at.word, n.person, exposure.Name, true}, hash}, before.word, !between(s.words.last(0)))
	}
}

// between reports whether a word may stand within a name without being much of
// it: Ada K. Lovelace, Ada de Lovelace, and not Ada et Lovelace.
func between(w string) bool {
	switch w {
	case "de", "da", "do", "di", "du", "le", "la", "el", "al", "af", "av", "zu", "te", "st", "jr", "sr":
		return true
	}
	return utf8.RuneCountInString(w) == 1 && !ideographic(w)
}

// extend adds a word to the person's run that ends with the word before; where
// there is none, a run begins if it may.
func (s *search) extend(r run, before int, begins bool) {
	for i := range s.runs {
		if at := &s.runs[i]; at.person == r.person && at.word == before {
			at.end, at.word, at.hash = r.end, r.word, r.hash
			return
		}
	}
	if begins {
		s.runs = append(s.runs, r)
	}
}

// ended settles the names to which the word cannot belong any more.
func (s *search) ended(number int) {
	keep := s.runs[:0]
	for _, r := range s.runs {
		if r.word >= number-1 {
			keep = append(keep, r)
		} else {
			s.hits = append(s.hits, r.sighting)
		}
	}
	s.runs = keep
}

// wholly reports whether a word is all of a value, under a key that says what
// the word is.
func (s *search) wholly(at *sighting) bool {
	if at.end-at.start != len(strings.TrimSpace(s.text)) {
		return false
	}
	path := strings.ToLower(s.f.fields[s.host].Path)
	key := path[strings.LastIndexAny(path, ".]")+1:]
	words := []string{"name"}
	switch at.category {
	case exposure.City:
		words = []string{"city", "town", "ort", "stadt", "ville", "ciudad", "locality"}
	case exposure.PostalCode:
		words = []string{"zip", "postal", "postcode", "plz", "cp"}
	}
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(key, w) })
}

// row looks for the last words as one value.
func (s *search) row(count, number int) {
	start, end := s.words.span(count)
	for i, n := range s.of(s.known.Hash(s.words.join(count))) {
		if i > manyNamesakes {
			break
		}
		if n.words() != count || n.Category == exposure.Street {
			continue
		}
		at := sighting{start, end, number, n.person, n.Category, n.Category != exposure.Username}
		if n.leaning() {
			s.lean = append(s.lean, at)
		} else {
			s.hits = append(s.hits, at)
		}
	}
	if joined, ok := s.words.street(count); ok {
		for i, n := range s.of(s.known.Hash(joined)) {
			if i > manyNamesakes {
				break
			}
			if n.words() == count && n.Category == exposure.Street {
				s.hits = append(s.hits, sighting{start, end, number, n.person, n.Category, true})
			}
		}
	}
}

// ideographs looks for names within a word of a script without blanks.
func (s *search) ideographs(number, start, end int) {
	at := s.text[start:end]
	var ends [5]int // of the next characters
	for from := range at {
		n := 0
		for j := range at[from:] {
			if j > 0 {
				ends[n] = from + j
				n++
			}
			if n == len(ends)-1 {
				break
			}
		}
		if n < len(ends)-1 {
			ends[n] = len(at)
			n++
		}
		for _, stop := range ends[min(1, n):n] {
			if stop-from == len(at) {
				continue // the whole word was looked for
			}
			for _, n := range s.of(s.known.Hash(at[from:stop])) {
				if n.words() == 1 && n.Category.Within(exposure.Name) && !n.leaning() {
					s.hits = append(s.hits, sighting{start + from, start + stop, number, n.person, n.Category, false})
				}
			}
		}
	}
}

// day looks for the last three words as a day.
func (s *search) day(number int) {
	a, b, c := s.words.last(2), s.words.last(1), s.words.last(0)
	start, end := s.words.span(3)
	for _, day := range daysOf(a, b, c) {
		if day == 0 {
			continue
		}
		for i, n := range s.of(s.known.Hash(dayWord(day))) {
			if i > manyNamesakes {
				break
			}
			if n.Category == exposure.BirthDate {
				s.hits = append(s.hits, sighting{start, end, number, n.person, n.Category, false})
			}
		}
	}
}

// leaningDistance is how many words may stand between a town and its postal
// code.
const leaningDistance = 6

// leaning keeps what another known part of the same person's address stands
// beside.
func (s *search) leaning() {
	parts := slices.Clone(s.lean)
	for _, h := range s.hits {
		if h.category == exposure.Street {
			parts = append(parts, h)
		}
	}
	slices.SortFunc(parts, func(a, b sighting) int {
		if a.person != b.person {
			return int(a.person) - int(b.person)
		}
		return a.word - b.word
	})
	beside := func(a, b *sighting) bool {
		return a.person == b.person && a.category != b.category && b.word-a.word <= leaningDistance
	}
	for i := range parts {
		at := &parts[i]
		if at.category == exposure.Street {
			continue
		}
		if i > 0 && beside(&parts[i-1], at) || i+1 < len(parts) && beside(at, &parts[i+1]) || s.wholly(at) {
			at.full = !s.wholly(at)
			s.hits = append(s.hits, *at)
		}
	}
}
