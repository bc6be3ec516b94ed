package token

// Scanner finds tokens in a text that arrives in pieces, also those that are
// split between two.
type Scanner struct {
	maker *Maker
	// buf is text; buf[:given] was given back already and is kept because what
	// precedes a word decides whether it is one.
	buf   []byte
	given int
	found []Candidate
}

// before is how much of the text that was given back is looked at again: more
// than the longest token is, so that a longer run is seen to be longer.
const before = 2 * longestHex

// Scanner begins a text.
func (m *Maker) Scanner() *Scanner { return &Scanner{maker: m} }

// Feed takes the next piece and gives back the text up to which everything is
// decided, with the candidates in it, whose positions are in that text. Both
// are valid until the next call. Pieces of some kilobytes are best: a few
// hundred bytes are kept back each time.
func (s *Scanner) Feed(piece []byte) (text []byte, found []Candidate) {
	if drop := s.given - before; drop > 0 {
		s.buf = s.buf[:copy(s.buf, s.buf[drop:])]
		s.given = before
	}
	s.buf = append(s.buf, piece...)
	// Whatever begins before this ends before the text does.
	return s.give(len(s.buf) - s.maker.span())
}

// Rest gives back what is left at the end of the text, which is then forgotten.
func (s *Scanner) Rest() (text []byte, found []Candidate) {
	text, found = s.give(len(s.buf))
	s.buf, s.given = s.buf[:0], 0
	return text, found
}

// give gives back what lies before until, and what of a token begins there.
func (s *Scanner) give(until int) ([]byte, []Candidate) {
	if until <= s.given {
		return nil, nil
	}
	s.found = s.maker.Append(s.found[:0], s.buf)
	kept := s.found[:0]
	for _, c := range s.found {
		if c.Start >= s.given && c.Start < until {
			until = max(until, c.End)
			c.Start, c.End = c.Start-s.given, c.End-s.given
			kept = append(kept, c)
		}
	}
	text := s.buf[s.given:until]
	s.given = until
	return text, kept
}

// span is more than any token, with what follows it and is looked at, is long.
func (m *Maker) span() int {
	return len("u.") + longestHex + len("&commat;") + len(aliasHost) + len(m.domain) + len(".x")
}
