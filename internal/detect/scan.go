package detect

import (
	"math/bits"
	"sync"
)

// scanner is one pass over one text.
type scanner struct {
	s   string
	key string
	dst []Hit
	// floor is where the last hit ended: nothing found later begins before it.
	floor int
	// notIPv6 is up to where a run of hex and colons was read in vain, so that
	// it is read once and not again from every digit within.
	notIPv6 int
	near    near
	n       number
	// idKey: values under this key have the form of addresses and are none.
	idKey bool
}

// Append appends what it finds in text to dst, in order and without overlaps.
// It allocates only when dst has no room. Texts past 2 GiB are not looked at:
// a Hit could not say where.
func Append(dst []Hit, text string, c Context) []Hit {
	if len(text) > 1<<31-1 {
		return dst
	}
	i := next(text, 0)
	if i == len(text) {
		return dst
	}
	sc := scanners.Get().(*scanner)
	sc.s, sc.key, sc.dst = text, c.Key, dst
	sc.floor, sc.notIPv6, sc.near.ready = 0, 0, false
	sc.idKey = c.Key != "" && identifies(c.Key)
	for i < len(text) {
		if text[i] == '@' {
			i = sc.email(i, i+1)
		} else {
			i = sc.digit(i)
		}
		i = next(text, i)
	}
	dst = sc.dst
	sc.s, sc.key, sc.dst = "", "", nil
	scanners.Put(sc)
	return dst
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// next is the first digit or @ at or behind i: everything that is looked for
// has one or the other.
func next(s string, i int) int {
	for ; i+16 <= len(s); i += 16 {
		b := s[i : i+16]
		if m := marks(load(b)); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		if m := marks(load(b[8:])); m != 0 {
			return i + 8 + bits.TrailingZeros64(m)/8
		}
	}
	for ; i < len(s); i++ {
		if c := s[i]; c-'0' < 10 || c == '@' {
			return i
		}
	}
	return len(s)
}

func load(b string) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// marks sets the high bit of every byte that is a digit or an @, exactly, so
// that the lowest set bit is the first of them.
func marks(x uint64) uint64 {
	low := x &^ highs
	digit := (ones*(127+'9'+1) - low) & (low + ones*(127-'0'+1)) &^ x
	at := x ^ ones*'@'
	at = ^((at&^highs + ^uint64(highs)) | at)
	return (digit | at) & highs
}

// hit records one value and says where to go on.
func (sc *scanner) hit(start, end int, k Kind, checked bool) int {
	if start >= sc.floor {
		sc.dst = append(sc.dst, Hit{int32(start), int32(end), k, checked})
		sc.floor = end
	}
	return end
}

// digit looks at a run of digits that begins at i, as the first of its word or
// group: every path from here goes on behind that run.
func (sc *scanner) digit(i int) int {
	s := sc.s
	if i == 0 {
		return sc.number(i, i)
	}
	p := s[i-1]
	switch {
	case class[p]&(letter|underscore) != 0:
		if i >= 2 && s[i-2] == '\\' && (p == 'n' || p == 'r' || p == 't') {
			return sc.number(i, i) // an escaped line end, as logs hold them
		}
		return sc.word(i)
	case p == '%':
		return sc.percent(i)
	case p >= 0x80:
		if joins(s[:i]) {
			return sc.skipWord(i)
		}
	case p == ':' && i >= 2 && (class[s[i-2]]&hex != 0 || s[i-2] == ':'):
		if end, ok := sc.ipv6(i); ok {
			return end
		}
	}
	return sc.number(i, i)
}

// percent reads the escapes of a URL that may stand in a value: %40 is an @,
// %2B a plus. Others are blanks between words.
func (sc *scanner) percent(i int) int {
	s := sc.s
	if i+2 > len(s) {
		return i + 1
	}
	switch {
	case s[i] == '4' && s[i+1] == '0':
		return sc.email(i-1, i+2)
	case s[i] == '2' && s[i+1]|0x20 == 'b' && i+2 < len(s) && isDigit(s[i+2]):
		return sc.number(i+2, i-1)
	case class[s[i+1]]&hex != 0:
		if i+2 < len(s) && isDigit(s[i+2]) {
			return sc.number(i+2, i+2)
		}
		return i + 2
	}
	return i + 1
}

// skipWord goes behind the word that i stands in.
func (sc *scanner) skipWord(i int) int {
	for i < len(sc.s) && class[sc.s[i]]&(digitClass|letter|underscore) != 0 {
		i++
	}
	return i
}
