package witness

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// bucket lets burst through at once and perSecond after that.
type bucket struct {
	perSecond, burst float64
	left             float64
	at               time.Time
}

func (b *bucket) take(now time.Time) bool {
	if b.at.IsZero() {
		b.left = b.burst
	} else if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.left = min(b.burst, b.left+passed*b.perSecond)
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// Handler speaks the witness protocol: POST /add-checkpoint, and for monitors
// GET /<origin hash>/checkpoint. It needs no authentication: a head without
// the log's signature gets nothing.
func (w *Witness) Handler() http.Handler {
	var mu sync.Mutex
	all := bucket{perSecond: 200, burst: 400} // a signature check costs 0.1 ms: this bounds it to 2 % of a core
	limit := func(next http.HandlerFunc) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			ok := all.take(w.now())
			mu.Unlock()
			if !ok {
				rw.Header().Set("Retry-After", "1")
				http.Error(rw, "too many requests", http.StatusTooManyRequests)
				return
			}
			next(rw, r)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", limit(w.addCheckpoint))
	mux.HandleFunc("GET /{hash}/checkpoint", limit(w.latest))
	return mux
}

func (w *Witness) addCheckpoint(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Cache-Control", "no-store")
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxRequest))
	if err != nil {
		http.Error(rw, fmt.Sprintf("the request is longer than %d bytes, or cut short", maxRequest), http.StatusBadRequest)
		return
	}
	request, err := ParseRequest(string(body))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	line, err := w.Cosign(request)
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		switch refusal.Status {
		case http.StatusConflict:
			rw.Header().Set("Content-Type", "text/x.tlog.size")
			rw.WriteHeader(refusal.Status)
			fmt.Fprintf(rw, "%d\n", refusal.Size)
			return
		case http.StatusTooManyRequests:
			rw.Header().Set("Retry-After", "1")
		}
		http.Error(rw, refusal.What, refusal.Status)
		return
	}
	if err != nil { // ours: the log said what it thinks of it already
		http.Error(rw, "this witness cannot cosign now", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(rw, line)
}

func (w *Witness) latest(rw http.ResponseWriter, r *http.Request) {
	head, err := w.Latest(r.PathValue("hash"))
	switch {
	case err != nil:
		http.Error(rw, "this witness cannot tell", http.StatusInternalServerError)
	case head == "":
		http.Error(rw, "no head of such a log was cosigned", http.StatusNotFound)
	default:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		rw.Header().Set("Cache-Control", "max-age=1")
		io.WriteString(rw, head)
	}
}
