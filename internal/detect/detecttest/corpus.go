// Package detecttest makes messages in the shape of vendors' APIs, with the
// places of the personal values in them: for measurements, and for tests that
// what stands around those values is left alone. The same seed gives the same
// messages.
package detecttest

import (
	"fmt"
	"strings"
)

// Gold is one personal value: Text[Start:End] of its document.
type Gold struct {
	Start, End int
	Kind       string // as detect.Kind prints it
}

// Document is one message.
type Document struct {
	Text string
	Gold []Gold
}

// Corpus makes n documents, of about 800 bytes each.
func Corpus(n int, seed uint64) []Document {
	m := &maker{state: seed | 1}
	docs := make([]Document, n)
	for i := range docs {
		m.b.Reset()
		m.gold = nil
		shapes[i%len(shapes)](m)
		docs[i] = Document{m.b.String(), m.gold}
	}
	return docs
}

type maker struct {
	state uint64
	b     strings.Builder
	gold  []Gold
}

// next is xorshift64*: enough for test data, and the same everywhere.
func (m *maker) next() uint64 {
	m.state ^= m.state >> 12
	m.state ^= m.state << 25
	m.state ^= m.state >> 27
	return m.state * 0x2545F4914F6CDD1D
}

func (m *maker) n(below int) int { return int(m.next() >> 33 % uint64(below)) }

func (m *maker) pick(of []string) string { return of[m.n(len(of))] }

func (m *maker) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(m.n(10))
	}
	return string(b)
}

func (m *maker) hex(n int) string {
	const hex = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = hex[m.n(16)]
	}
	return string(b)
}

func (m *maker) text(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.n(64)]
	}
	return string(b)
}

func (m *maker) uuid() string {
	return m.hex(8) + "-" + m.hex(4) + "-4" + m.hex(3) + "-a" + m.hex(3) + "-" + m.hex(12)
}

func (m *maker) time() string {
	return fmt.Sprintf("2026-%02d-%02dT%02d:%02d:%02d.%sZ", 1+m.n(12), 1+m.n(28), m.n(24), m.n(60), m.n(60), m.digits(3))
}

// put writes text; of its values between «kind: and » the places are kept.
func (m *maker) put(format string, a ...any) {
	s := fmt.Sprintf(format, a...)
	for {
		before, rest, marked := strings.Cut(s, "«")
		m.b.WriteString(before)
		if !marked {
			return
		}
		kind, rest, _ := strings.Cut(rest, ":")
		value, rest, _ := strings.Cut(rest, "»")
		start := m.b.Len()
		m.b.WriteString(value)
		m.gold = append(m.gold, Gold{start, start + len(value), kind})
		s = rest
	}
}
