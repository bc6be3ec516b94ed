package gateway

import (
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/ledger"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// wayBack turns the tokens of one answer into the values that they stand for.
// It exists only on routes that the manifest's `reveal` names; nil does nothing.
//
// What is revealed is on record before the app can read it. When it cannot be
// recorded, when the app has seen too many people, or when a value cannot stand
// where the token stands, the token stays: to the app it is an identifier that
// is good for nothing else.
type wayBack struct {
	g     *Gateway
	v     *Vendor
	ctx   context.Context
	route string
	app   string
}

// mayReveal reports whether the manifest lets a route's answers reveal.
func mayReveal(r vendor.Route) bool { return r.Mapped() && r.Spec.Routes[r.Index].Reveal }

func (g *Gateway) wayBack(ctx context.Context, x *Exchange, r vendor.Route) *wayBack {
	if g.o.Tokens == nil || g.o.Table == nil || !mayReveal(r) {
		return nil
	}
	return &wayBack{g: g, v: x.Vendor, ctx: ctx, route: r.Name, app: x.Sender.App}
}

// unsaid are fields that would be wrong of a body in which tokens were replaced.
var unsaid = []string{"Content-Length", "Etag", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Accept-Ranges"}

// body is the answer's body with tokens replaced; false when it is passed as it
// is: nobody can replace in what is compressed, cut out of a longer one, or of
// a type that we do not know how to write.
func (b *wayBack) body(body io.ReadCloser, r *http.Response) (io.ReadCloser, bool) {
	if b == nil || r.StatusCode == http.StatusPartialContent || r.StatusCode == http.StatusNotModified || r.StatusCode == http.StatusNoContent {
		return body, false
	}
	for _, coding := range r.Header["Content-Encoding"] {
		if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
			return body, false
		}
	}
	f, ok := formatOf(r.Header.Get("Content-Type"))
	if !ok {
		return body, false
	}
	for _, name := range unsaid {
		delete(r.Header, name)
	}
	return &revealed{ReadCloser: body, back: b, scanner: b.g.o.Tokens.Scanner(), place: place{format: f}}, true
}

// header replaces tokens in the fields of an answer, such as Location.
func (b *wayBack) header(h http.Header) {
	if b == nil {
		return
	}
	for name, values := range h {
		if name == "Set-Cookie" { // signed or opaque to everybody but the vendor
			continue
		}
		p := place{format: plain}
		switch name {
		case "Location", "Content-Location", "Link", "Refresh":
			p.format = urlencoded
		}
		for i, v := range values {
			found := b.g.o.Tokens.AppendString(nil, v)
			if len(found) == 0 {
				continue
			}
			if out := string(b.replace(nil, &p, []byte(v), found)); !strings.ContainsFunc(out, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				values[i] = out
			}
		}
	}
}

// replacement is a token that may be shown, and how it is written there.
type replacement struct {
	token.Candidate
	written string
	people  []exposure.Ordinal
}

// replace appends a piece of the answer to dst, tokens replaced, after it has
// recorded what that reveals.
func (b *wayBack) replace(dst []byte, p *place, text []byte, found []token.Candidate) []byte {
	list := b.resolve(p, text, found)
	if len(list) > 0 && !b.record(list) {
		list = nil
	}
	at := 0
	for _, r := range list {
		dst = append(append(dst, text[at:r.Start]...), r.written...)
		at = r.End
	}
	return append(dst, text[at:]...)
}

// resolve finds what the tokens in a piece stand for, of those people whom the
// app may still see. It leaves p at the end of the piece.
func (b *wayBack) resolve(p *place, text []byte, found []token.Candidate) (list []replacement) {
	at, capped := 0, false
	for _, c := range found {
		if c.Start < at { // overlaps one that was replaced
			continue
		}
		r, ok, err := b.g.o.Table.Resolve(b.v.ID(), c.Key)
		if err != nil {
			b.g.o.Log.Error("a token in an answer cannot be resolved", "vendor", b.v.ID(), "error", err)
		}
		if !ok || err != nil {
			continue
		}
		p.pass(text[at:c.Start])
		at = c.Start
		written, ok := p.write(r.Value, string(text[c.Start:c.End]), c.At)
		if !ok {
			continue
		}
		if !b.v.reveals.allow(b.app, peopleOf(r, c.Key), b.g.o.Now(), b.g.o.RevealsPerMinute, b.g.o.RevealsPerHour) {
			capped = true
			continue
		}
		list = append(list, replacement{c, written, r.Ordinals})
		p.pass(text[at:c.End])
		at = c.End
	}
	p.pass(text[at:])
	if capped && b.v.reveals.first(b.app, b.g.o.Now()) {
		b.g.note(b.v.ID(), b.app, b.route, &Problem{Reason: exposure.ReasonRevealCap, Status: http.StatusOK})
	}
	return list
}

// record writes what a piece reveals, and to whom, and returns when that is on
// disk.
func (b *wayBack) record(list []replacement) bool {
	people, nobody := []uint32{}, 0
	for _, r := range list {
		if len(r.people) == 0 {
			nobody++
		}
		for _, o := range r.people {
			if !slices.Contains(people, uint32(o)) {
				people = append(people, uint32(o))
			}
		}
	}
	fields := map[string]any{"route": b.route, "app": b.app, "tokens": len(list), "people": people}
	if nobody > 0 {
		fields["of_nobody_known"] = nobody
	}
	_, err := b.g.o.Journal.Append(b.ctx, ledger.Event{Kind: ledger.EventReveal, Vendor: b.v.ID(), At: b.g.o.Now(), Actor: b.app, Fields: fields})
	if err != nil {
		b.g.o.Log.Error("tokens in an answer stay, since revealing them cannot be recorded", "vendor", b.v.ID(), "error", err)
	}
	return err == nil
}

// revealed reads an answer with its tokens replaced, a piece at a time.
type revealed struct {
	io.ReadCloser
	back    *wayBack
	scanner *token.Scanner
	place   place
	in      [16 << 10]byte
	text    []byte // taken and not yet replaced, with what was found in it
	found   []token.Candidate
	out     []byte // what is replaced and not yet read
	spare   []byte // the room of out
	err     error  // of the vendor's body
	over    bool   // what was kept back at its end is in out
}

func (r *revealed) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if r.err != nil {
			if r.over {
				return 0, r.err
			}
			r.over = true
			r.take(r.scanner.Rest())
			r.give()
			continue
		}
		var n int
		n, r.err = r.ReadCloser.Read(r.in[:])
		if n == 0 {
			continue
		}
		r.take(r.scanner.Feed(r.in[:n]))
		if r.err == nil && ends(r.in[n-1]) && r.vendorWaits() {
			r.take(r.scanner.Rest()) // an event of a stream is whole, and the next may be hours away
		}
		r.give()
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// ends reports whether no token goes on behind a byte.
func ends(b byte) bool { return strings.IndexByte("\n\r\"}]>,;", b) >= 0 }

// take adds to what is given next: the scanner keeps its text only until it is
// asked again.
func (r *revealed) take(text []byte, found []token.Candidate) {
	for _, c := range found {
		c.Start, c.End = c.Start+len(r.text), c.End+len(r.text)
		r.found = append(r.found, c)
	}
	r.text = append(r.text, text...)
}

// give makes what was taken readable, with one entry for all that it reveals.
func (r *revealed) give() {
	r.out = r.back.replace(r.spare[:0], &r.place, r.text, r.found)
	r.spare = r.out
	r.text, r.found = r.text[:0], r.found[:0]
}

func (r *revealed) vendorWaits() bool {
	w, ok := r.ReadCloser.(interface{ Waiting() bool })
	return !ok || w.Waiting()
}

// Waiting reports whether nothing can be read without waiting for the vendor.
func (r *revealed) Waiting() bool { return len(r.out) == 0 && r.vendorWaits() }

// reveals counts the people whom a vendor's answers revealed to each app. The
// counts are in memory: a restart begins anew.
type reveals struct {
	mu   sync.Mutex
	apps map[string]*revealCount // guarded by mu; apps are those of the configuration
}

type revealCount struct {
	minute, hour window
	noted        time.Time
}

// window is a stretch of time, and the people who were seen in it.
type window struct {
	since  time.Time
	people map[uint64]struct{}
}

func (w *window) at(now time.Time, long time.Duration) {
	if w.people == nil || now.Sub(w.since) >= long || now.Before(w.since) {
		w.since, w.people = now, map[uint64]struct{}{}
	}
}

func (w *window) more(people []uint64) (n int) {
	for _, p := range people {
		if _, seen := w.people[p]; !seen {
			n++
		}
	}
	return n
}

// peopleOf are those whose value it is; for nobody known the token stands for
// somebody.
func peopleOf(r ledger.Resolved, k token.Key) []uint64 {
	if len(r.Ordinals) == 0 {
		return []uint64{binary.BigEndian.Uint64(k[:]) | 1<<63}
	}
	people := make([]uint64, len(r.Ordinals))
	for i, o := range r.Ordinals {
		people[i] = uint64(o)
	}
	return people
}

// allow counts people, unless they would be too many.
func (r *reveals) allow(app string, people []uint64, now time.Time, perMinute, perHour int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.of(app)
	c.minute.at(now, time.Minute)
	c.hour.at(now, time.Hour)
	if len(c.minute.people)+c.minute.more(people) > perMinute || len(c.hour.people)+c.hour.more(people) > perHour {
		// Those who were seen already may be seen again, but nobody else.
		return c.minute.more(people) == 0 && c.hour.more(people) == 0
	}
	for _, p := range people {
		c.minute.people[p], c.hour.people[p] = struct{}{}, struct{}{}
	}
	return true
}

// of needs the lock.
func (r *reveals) of(app string) *revealCount {
	c := r.apps[app]
	if c == nil {
		if r.apps == nil {
			r.apps = map[string]*revealCount{}
		}
		c = &revealCount{}
		r.apps[app] = c
	}
	return c
}

// first reports whether the limit was met for the first time in a minute: that
// it was is noted, but not for every token.
func (r *reveals) first(app string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.of(app)
	if now.Sub(c.noted) < time.Minute {
		return false
	}
	c.noted = now
	return true
}
