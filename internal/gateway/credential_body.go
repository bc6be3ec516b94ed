package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cordon/internal/classify"
	"cordon/internal/vendor"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Some vendors want the key in the body. An app's own is emptied before the
// message is classified, so that it is nobody's data and does not leave; ours
// is put in its place, or before the first member, after the message is on
// record. The rest of the body keeps every byte.

// maxUnpacked bounds what a compressed body may become here.
const maxUnpacked = 64 << 20

var (
	errNoPlace  = errors.New("the vendor's credential stands in the body, and this body is no JSON object and no form")
	errUnopened = errors.New("the vendor's credential stands in the body, and this body could not be decompressed")
)

// bodySteps are the steps of a body credential's name.
func bodySteps(name string) ([]vendor.Step, error) {
	steps, err := vendor.ParsePath(name)
	if err != nil {
		return nil, fmt.Errorf("its credential's name: %w", err)
	}
	for i, s := range steps {
		if s.Kind != vendor.StepKey && s.Kind != vendor.StepItem || s.Filter != nil || i == len(steps)-1 && s.Kind != vendor.StepKey {
			return nil, fmt.Errorf("its credential's name %q: only keys and [] lead to a place in the body", name)
		}
	}
	if len(steps) == 0 {
		return nil, errors.New("its credential stands in the body and has no name")
	}
	return steps, nil
}

// ownBody takes the app's credential out of the body and tells it. A body that
// has no place for ours is an error: the message could go with the app's.
func (c *credential) ownBody(m *classify.Message) (value string, err error) {
	if c == nil || c.in != "body" || len(m.Body) == 0 {
		return "", nil
	}
	if m.TooLarge {
		return "", errNoPlace
	}
	h := http.Header(m.Header)
	if m.Body, err = unpacked(h, m.Body); err != nil {
		return "", err
	}
	for _, name := range []string{"Content-Md5", "Digest", "Content-Digest", "Repr-Digest"} {
		delete(h, name) // of a body that does not leave
	}
	if isForm(h) {
		value, rest := cutParameter(string(m.Body), c.name)
		m.Body = []byte(rest)
		return value, nil
	}
	changes, err := c.places(m.Body, false)
	if err != nil {
		return "", err
	}
	for _, e := range changes {
		if old := strings.Trim(string(m.Body[e.start:e.end]), `"`); value == "" && old != "null" {
			value = old
		}
	}
	m.Body = spliced(m.Body, changes, `""`)
	return value, nil
}

// putBody is the body with our credential in it.
func (c *credential) putBody(h http.Header, body []byte) ([]byte, error) {
	if len(body) == 0 {
		return body, nil
	}
	if isForm(h) {
		field := url.QueryEscape(c.name) + "=" + url.QueryEscape(c.value)
		return slices.Concat(body, []byte("&"), []byte(field)), nil
	}
	changes, err := c.places(body, true)
	if err != nil {
		return nil, err
	}
	return spliced(body, changes, `"`+quoted(c.value, false)+`"`), nil
}

func isForm(h http.Header) bool {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && media == "application/x-www-form-urlencoded"
}

// change puts the credential at body[start:end], between before and after.
type change struct {
	start, end    int
	before, after string
}

func spliced(body []byte, changes []change, value string) []byte {
	if len(changes) == 0 {
		return body
	}
	out := make([]byte, 0, len(body)+len(changes)*(len(value)+32))
	at := 0
	for _, e := range changes {
		out = append(append(append(append(out, body[at:e.start]...), e.before...), value...), e.after...)
		at = e.end
	}
	return append(out, body[at:]...)
}

// places finds where the credential stands; with missing also where it should.
func (c *credential) places(body []byte, missing bool) (list []change, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	if k := d.PeekKind(); k != '{' && k != '[' {
		return nil, errNoPlace
	}
	w := placing{d: d, missing: missing}
	if err = w.walk(c.steps); err == nil {
		_, err = d.ReadToken()
		if err == io.EOF {
			return w.list, nil
		}
	}
	return nil, errNoPlace // a syntax error, or a key that stands there twice
}

type placing struct {
	d       *jsontext.Decoder
	missing bool
	list    []change
}

func (w *placing) walk(steps []vendor.Step) error {
	kind := w.d.PeekKind()
	switch {
	case len(steps) == 0:
		raw, err := w.d.ReadValue()
		end := int(w.d.InputOffset())
		w.list = append(w.list, change{start: end - len(raw), end: end})
		return err
	case steps[0].Kind == vendor.StepItem && kind == '[':
		if _, err := w.d.ReadToken(); err != nil {
			return err
		}
		for w.d.PeekKind() != ']' {
			if err := w.walk(steps[1:]); err != nil {
				return err
			}
		}
		_, err := w.d.ReadToken()
		return err
	case steps[0].Kind == vendor.StepItem:
		return w.walk(steps[1:]) // one element may stand alone
	case kind != '{':
		return w.d.SkipValue()
	}
	if _, err := w.d.ReadToken(); err != nil {
		return err
	}
	open, at, found := int(w.d.InputOffset()), len(w.list), false
	empty := w.d.PeekKind() == '}'
	for w.d.PeekKind() != '}' {
		name, err := w.d.ReadToken()
		if err != nil {
			return err
		}
		if name.String() != steps[0].Key {
			err = w.d.SkipValue()
		} else {
			found = true
			err = w.walk(steps[1:])
		}
		if err != nil {
			return err
		}
	}
	if w.missing && !found {
		e := change{start: open, end: open}
		for i, s := range steps {
			if s.Kind != vendor.StepKey {
				return errNoPlace // a list that is not there
			}
			if i > 0 {
				e.before, e.after = e.before+"{", "}"+e.after
			}
			e.before += `"` + quoted(s.Key, false) + `":`
		}
		if !empty {
			e.after += ","
		}
		w.list = slices.Insert(w.list, at, e)
	}
	_, err := w.d.ReadToken()
	return err
}

// unpacked is a body without its coding, which the header then says no more.
func unpacked(h http.Header, body []byte) ([]byte, error) {
	var r io.Reader
	var err error
	switch coding := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding"))); coding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(body))
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxUnpacked)); err == nil {
			defer d.Close()
			r = d
		}
	default:
		return nil, errUnopened
	}
	if err != nil {
		return nil, errUnopened
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if err != nil || len(plain) > maxUnpacked {
		return nil, errUnopened
	}
	delete(h, "Content-Encoding")
	return plain, nil
}
