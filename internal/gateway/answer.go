package gateway

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// notOurs are fields of an answer that would lead the app past the gateway, or
// that net/http writes itself.
var notOurs = []string{"Alt-Svc", "Content-Length"}

// answer passes a vendor's answer on as it arrives. Redirects are passed too,
// never followed: following would send the credential wherever they point.
func (v *Vendor) answer(w http.ResponseWriter, r *http.Response, back *wayBack) error {
	defer r.Body.Close()
	h := w.Header()
	length := r.Header["Content-Length"]
	removeHops(r.Header)
	v.credential.conceal(r.Header)
	for _, name := range notOurs {
		delete(r.Header, name)
	}
	body, scanned := back.body(v.credential.concealBody(r.Body), r)
	if scanned {
		length = nil
	}
	back.header(r.Header)
	for name, values := range r.Header {
		h[name] = values
	}
	if len(length) > 0 && r.ContentLength >= 0 || r.Request != nil && r.Request.Method == http.MethodHead && len(length) > 0 {
		h["Content-Length"] = length[:1]
	}
	for name := range r.Trailer {
		h.Add("Trailer", name)
	}
	w.WriteHeader(r.StatusCode)

	if err := copyAsItComes(w, body); err != nil {
		return err
	}
	trailer := http.Header{}
	for name, values := range r.Trailer {
		trailer[name] = values
	}
	v.credential.conceal(trailer)
	for name, values := range trailer {
		h[name] = values
	}
	return nil
}

// readerStalls is how long an app may not take a piece of a longer answer.
const readerStalls = 2 * time.Minute

// copyAsItComes shows the app every piece as soon as there is nothing more to
// read without waiting: server-sent events must not sit in a buffer, and a
// short answer that is there as a whole need not be written twice.
func copyAsItComes(w http.ResponseWriter, body io.Reader) error {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	waiting, _ := body.(interface{ Waiting() bool })
	out := http.NewResponseController(w)
	for piece := 0; ; piece++ {
		n, err := body.Read(*buf)
		if n > 0 {
			if piece > 0 {
				// Net/http bounds whole answers only, and a stream has no bound. The
				// deadline is taken back below: the connection may be kept.
				out.SetWriteDeadline(time.Now().Add(readerStalls))
			}
			if _, werr := w.Write((*buf)[:n]); werr != nil {
				return werr
			}
		}
		if errors.Is(err, io.EOF) {
			if piece > 0 {
				out.SetWriteDeadline(time.Time{})
			}
			return nil
		}
		if err != nil {
			return err
		}
		if waiting == nil || waiting.Waiting() {
			if err := out.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return err
			}
		}
	}
}
