package gateway

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An endpoint that echoes requests would hand our credential to the app. So
// what comes back is searched for it, header and body.

// shortest is the length from which a secret can be searched for: a shorter one
// would be found everywhere.
const shortest = 8

// needlesOf lists the forms of a secret that an echo may have: itself, as it
// stands in the message ("Bearer …" is echoed without its scheme too), and both
// escaped for a URL.
func needlesOf(secret, value string) (needles [][]byte) {
	_, bare, _ := strings.Cut(value, " ")
	for _, form := range []string{secret, bare, url.QueryEscape(secret), url.QueryEscape(bare)} {
		if len(form) >= shortest && !slices.ContainsFunc(needles, func(n []byte) bool { return string(n) == form }) {
			needles = append(needles, []byte(form))
		}
	}
	return needles
}

// conceal removes header fields of an answer that repeat our secret.
func (c *credential) conceal(h http.Header) {
	if c == nil {
		return
	}
	for name, values := range h {
		if slices.ContainsFunc(values, func(v string) bool {
			return slices.ContainsFunc(c.needles, func(n []byte) bool { return strings.Contains(v, string(n)) })
		}) {
			delete(h, name)
		}
	}
}

// concealBody overwrites our secret in a body with as many asterisks, so that
// its length stays what the head says.
func (c *credential) concealBody(body io.ReadCloser) io.ReadCloser {
	if c == nil || len(c.needles) == 0 {
		return body
	}
	return &concealed{ReadCloser: body, needles: c.needles}
}

type concealed struct {
	io.ReadCloser
	needles [][]byte
	pending []byte // read and searched; the last `kept` of it may begin a needle
	kept    int
	err     error
}

func (r *concealed) Read(p []byte) (int, error) {
	for len(r.pending) == r.kept && r.err == nil {
		at := len(r.pending)
		r.pending = slices.Grow(r.pending, max(len(p), 512))
		n, err := r.ReadCloser.Read(r.pending[at : at+max(len(p), 512)])
		r.pending, r.err = r.pending[:at+n], err
		for _, needle := range r.needles {
			for rest := r.pending; ; {
				i := bytes.Index(rest, needle)
				if i < 0 {
					break
				}
				for j := range needle {
					rest[i+j] = '*'
				}
				rest = rest[i+len(needle):]
			}
		}
		r.kept = 0
		if err == nil {
			r.kept = r.begun()
		}
	}
	n := copy(p, r.pending[:len(r.pending)-r.kept])
	r.pending = r.pending[:copy(r.pending, r.pending[n:])]
	if n == 0 && len(r.pending) == 0 {
		return 0, r.err
	}
	return n, nil
}

// begun is the length of the longest end of what was read that begins a needle.
func (r *concealed) begun() (longest int) {
	for _, needle := range r.needles {
		for n := min(len(needle)-1, len(r.pending)); n > longest; n-- {
			if bytes.HasSuffix(r.pending, needle[:n]) {
				longest = n
			}
		}
	}
	return longest
}

// Waiting reports whether nothing can be read without waiting for the vendor.
func (r *concealed) Waiting() bool {
	w, ok := r.ReadCloser.(interface{ Waiting() bool })
	return len(r.pending) == r.kept && (!ok || w.Waiting())
}
