package classify

import (
	"errors"
	"strings"

	"cordon/internal/exposure"
)

// coding is a content coding of HTTP (RFC 9110 section 8.4.1, RFC 8878).
type coding uint8

const (
	gzipped  coding = iota + 1
	zlibbed         // "deflate" as the RFC means it
	deflated        // "deflate" as some senders do: without zlib's header
	brotlied
	zstandard
)

var codingNames = map[string]coding{
	"gzip": gzipped, "x-gzip": gzipped, "deflate": zlibbed, "br": brotlied, "zstd": zstandard,
}

// codings are those of a body, the outermost first.
type codings []coding

// decompress fills f.body and reports whether it can be read as text.
func (f *Findings) decompress(w *walk, body []byte) bool {
	limit := min(maxDecoded, maxRatio*len(body))
	want, known := codingsOf(f.message.Header["Content-Encoding"])
	if !known || len(want) > maxCodings {
		w.flag(exposure.IncompleteCoding)
		f.body, f.partial = string(body), true
		return false
	}
	if len(want) == 0 {
		c := signed(body)
		if c == 0 {
			f.body = string(body)
			return true
		}
		// Compressed without saying so: a vendor that looks at the first bytes
		// reads it, so do we.
		w.flag(exposure.IncompleteContentTypeLies)
		want = codings{c}
	}
	for i, c := range want {
		c, plausible := c.of(body)
		plain, err := "", errNotCompressed
		if plausible {
			plain, err = c.decode(body, limit)
		}
		if errors.Is(err, errNotCompressed) {
			w.flag(exposure.IncompleteContentTypeLies)
			continue
		}
		f.coding = append(f.coding, c)
		f.body = plain
		if err != nil {
			f.partial = true
			if errors.Is(err, errRatio) {
				w.flag(exposure.IncompleteRatio)
			} else {
				w.flag(exposure.IncompleteSyntax)
			}
			return i == len(want)-1
		}
		if i < len(want)-1 {
			body = []byte(plain)
		}
	}
	if len(f.coding) == 0 {
		f.body = string(body)
	}
	return true
}

// codingsOf reads Content-Encoding (RFC 9110 section 8.4), whose last coding is
// the outermost, and reports whether all of them are known.
func codingsOf(values []string) (list codings, known bool) {
	for i := len(values) - 1; i >= 0; i-- {
		names := strings.Split(values[i], ",")
		for n := len(names) - 1; n >= 0; n-- {
			name := strings.ToLower(strings.TrimSpace(names[n]))
			c, known := codingNames[name]
			switch {
			case known:
				list = append(list, c)
			case name != "" && name != "identity":
				return nil, false
			}
		}
	}
	return list, true
}

// signed is the coding that a body's first bytes give away, 0 for none.
func signed(b []byte) coding {
	switch {
	case len(b) > 2 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8:
		return gzipped
	case len(b) > 3 && b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd:
		return zstandard
	}
	return 0
}

// of is the coding that a body has of which c is said, and whether it can be.
func (c coding) of(body []byte) (coding, bool) {
	switch c {
	case zlibbed:
		if len(body) > 1 && body[0]&0x0f == 8 && (int(body[0])<<8|int(body[1]))%31 == 0 {
			return zlibbed, true
		}
		return deflated, true
	case gzipped, zstandard:
		return c, signed(body) == c
	}
	return c, true
}
