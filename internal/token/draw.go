package token

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strings"
)

// Lengths of shapes, in characters.
const (
	shortestCore = 18 // 16 letters of 5 bits, the epoch and the check
	emailCore    = 22
	longestCore  = 50
	shortestHex  = 23 // 20 digits of 4 bits, the epoch and two for the check
	longestHex   = 64
	digitsLength = 16
	phoneLength  = 11
	firstWord    = 14
	secondWord   = 16
	wordLength   = firstWord + secondWord

	longest = longestHex // of what Key is computed over
)

const (
	alphabet   = "abcdefghijklmnopqrstuvwxyz234567" // RFC 4648 section 6, lower case
	hexDigits  = "0123456789abcdef"
	consonants = "bdfgjklmnprstvwz"
	vowels     = "aeiou"
)

// draw writes the function's output in a shape. What Key is computed over is
// the part that the finder sees in every spelling of the token.
func (m *Maker) draw(s shape, e Epoch, value string, sum *[sha256.Size]byte, host string) Token {
	var room [longest]byte
	b := room[:0]
	switch s {
	case shapeEmail:
		b = appendCore(b, e, sum, emailCore)
		var text strings.Builder
		text.Grow(len("u.@") + emailCore + len(host) + len(m.domain))
		text.WriteString("u.")
		text.Write(b)
		text.WriteByte('@')
		text.WriteString(host)
		text.WriteString(m.domain)
		return Token{Text: text.String(), Key: m.key(b), Bits: coreBits(emailCore)}
	case shapeName, shapeWord:
		b = appendSyllables(b, e, sum)
		t := Token{Key: m.key(b), Bits: 82} // 13 × log2(80)
		b[0] -= 'a' - 'A'
		if s == shapeName {
			b[firstWord] -= 'a' - 'A'
			t.Text = string(b[:firstWord]) + " " + string(b[firstWord:])
		} else {
			t.Text = string(b)
		}
		return t
	case shapeUUID:
		b = appendHex(b, e, sum, 32, true)
		t := Token{Key: m.key(b), Bits: 4*(32-3-1) - 2}
		text := make([]byte, 0, 36)
		for i, d := range b {
			if i == 8 || i == 12 || i == 16 || i == 20 {
				text = append(text, '-')
			}
			text = append(text, d)
		}
		t.Text = asWritten(text, value)
		return t
	case shapeHex:
		n := min(len(value), longestHex)
		b = appendHex(b, e, sum, n, false)
		return Token{Key: m.key(b), Bits: 4 * (n - 3), Text: asWritten(b, value)}
	case shapeDigits:
		b = appendDigits(b, e, sum)
		return Token{Text: string(b), Key: m.key(b), Bits: 43} // 13 × log2(10)
	case shapePhone, shapeDialled:
		b = appendPhone(b, sum)
		t := Token{Key: m.key(b), Bits: 29} // log2(8 × 10^8)
		if t.Text = string(b); s == shapePhone {
			t.Text = "+" + t.Text
		}
		return t
	default:
		n := min(max(len(value), shortestCore), longestCore)
		b = appendCore(b, e, sum, n)
		return Token{Text: string(b), Key: m.key(b), Bits: coreBits(n)}
	}
}

func coreBits(n int) int { return 5 * (n - 2) }

// asWritten writes hexadecimal digits as the value has them: in capitals on one
// system, in small letters on another, and compared as text by some vendor.
func asWritten(digits []byte, value string) string {
	if upper(value) {
		for i, d := range digits {
			if d >= 'a' {
				digits[i] = d - ('a' - 'A')
			}
		}
	}
	return string(digits)
}

// appendCore appends n letters: the epoch's, n-2 of the function, the check.
func appendCore(b []byte, e Epoch, sum *[sha256.Size]byte, n int) []byte {
	first := byte(e & 31)
	b = append(b, alphabet[first])
	check := first
	var bits uint64 // of the function, the next ones highest
	for i := range n - 2 {
		if i%8 == 0 { // five bytes are eight letters
			at := i / 8 * 5
			bits = uint64(binary.BigEndian.Uint32(sum[at:]))<<32 | uint64(sum[at+4])<<24
		}
		v := byte(bits >> 59)
		bits <<= 5
		b = append(b, alphabet[v])
		check = step32(check, v)
	}
	return append(b, alphabet[double32(check)^core32])
}

// The check letter makes the letters, read as a polynomial over GF(32) and
// evaluated at its primitive element, come to core32. One wrong letter and two
// exchanged neighbours are always noticed; and not all of one letter comes out
// right, as it would with zero.
const core32 = 0x15

func double32(h byte) byte { return h<<1&31 ^ h>>4*0x05 } // x^5 = x^2 + 1

func step32(h, v byte) byte { return double32(h) ^ v }

// appendHex appends n digits: the epoch's, n-3 of the function, two for the
// check. A UUID's version and variant stand where RFC 9562 section 5.4 has them.
func appendHex(b []byte, e Epoch, sum *[sha256.Size]byte, n int, uuid bool) []byte {
	check := byte(e & 15)
	i := 0
	if n%2 == 0 {
		check = check<<4 | sum[0]&15
		b = append(b, hexDigits[check>>4])
		i = 1
	}
	b = append(b, hexDigits[check&15])
	for ; i < n/2-1; i++ {
		v := sum[i]
		if uuid && i == 6 {
			v = 0x40 | v&0x0f
		} else if uuid && i == 8 {
			v = 0x80 | v&0x3f
		}
		b = append(b, hexDigits[v>>4], hexDigits[v&15])
		check = times256[check] ^ v
	}
	check = times256[check] ^ hex256
	return append(b, hexDigits[check>>4], hexDigits[check&15])
}

// The two check digits make the digits come to hex256 in the CRC-8 of
// polynomial x^8+x^4+x^3+x^2+1.
const hex256 = 0x5a

// times256 is h·x^8.
var times256 = func() (t [256]byte) {
	for i := range t {
		h := byte(i)
		for range 8 {
			h = h<<1 ^ h>>7*0x1d
		}
		t[i] = h
	}
	return t
}()

// step256 takes four bits more: of h·x^4 the upper half is reduced.
func step256(h, v byte) byte { return h<<4 ^ times256[h>>4] ^ v }

// appendDigits appends 16 digits: a first digit from 2 to 8 that is a check,
// the epoch's, 13 of the function, a last one that is a check. The number lies
// below 2^53 = 9007199254740992, above which JavaScript rounds; and never has
// the check digit of ISO/IEC 7812, so that nobody takes it for a card.
func appendDigits(b []byte, e Epoch, sum *[sha256.Size]byte) []byte {
	hi, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), 1e13)
	hi += uint64(e%10) * 1e13
	start := len(b)
	b = append(b, "0000000000000000"...)
	d := b[start:]
	for i := digitsLength - 2; i > 0; i-- {
		d[i], hi = '0'+byte(hi%10), hi/10
	}
	d[0] = leadDigit(d)
	d[digitsLength-1] = lastDigit(d)
	return b
}

// leadDigit is '2' to '8' by the digits that are not checks.
func leadDigit[T text](d T) byte {
	n := 0
	for i := 1; i < digitsLength-1; i++ {
		n += int(d[i]-'0') * int("1326451326451326"[i]-'0') // powers of 3 modulo 7
	}
	return '2' + byte(n%7)
}

// lastDigit is the check digit of ISO/IEC 7812 plus 5.
func lastDigit[T text](d T) byte {
	n := 0
	for i := range digitsLength - 1 {
		v := int(d[i] - '0')
		if i%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		n += v
	}
	return '0' + byte((10-n%10+5)%10)
}

// appendPhone appends 11 digits: 1 and a North American number whose area code
// has the middle digit 9. Such codes are kept for the day when numbers grow
// longer (NANP, "expansion codes"): nobody has such a number and no network
// takes one, while its form is that of a number. There is no room for an epoch
// nor for a check: the range itself is the mark.
func appendPhone(b []byte, sum *[sha256.Size]byte) []byte {
	n, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), 8e8)
	start := len(b)
	b = append(b, "10900000000"...)
	d := b[start:]
	for i := phoneLength - 1; i > 2; i-- {
		d[i], n = '0'+byte(n%10), n/10
	}
	d[1] = '2' + byte(n)
	return b
}

// appendSyllables appends 15 syllables of a consonant and a vowel: the epoch's,
// 13 of the function, the check.
func appendSyllables(b []byte, e Epoch, sum *[sha256.Size]byte) []byte {
	add := func(v int) { b = append(b, consonants[v/len(vowels)], vowels[v%len(vowels)]) }
	first := int(e) % syllables
	add(first)
	check := first
	for i := range 13 {
		v := int(binary.BigEndian.Uint16(sum[2*i:])) * syllables >> 16
		add(v)
		check = (3*check + v) % checkSyllables
	}
	add(check)
	return b
}

const (
	syllables      = len(consonants) * len(vowels) // 80
	checkSyllables = 79                            // a prime, of which 3 is a primitive root
)
