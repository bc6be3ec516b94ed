package gateway

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"cordon/internal/classify"
	"cordon/internal/exposure"
	"cordon/internal/token"
	"cordon/internal/vendor"
)

// Learner takes what a vendor's answer tells of the one person of the request;
// *ledger.Ledger is one. entry is the request's.
type Learner interface {
	Link(ctx context.Context, v exposure.VendorID, of []exposure.Identifier, learnt exposure.Identifier, entry uint64) error
}

const (
	// longestLesson is how much of an answer is read to learn from: what was
	// created is described in less.
	longestLesson = 256 << 10
	// lessonsAtOnce bounds what learning may cost; what is too much is not learnt
	// now, and the next message says it again.
	lessonsAtOnce = 64
)

// learn looks at a copy of the answer as it passes. It neither delays nor
// changes it, and nothing waits for what is learnt.
func (g *Gateway) learn(a *attempt, f *classify.Findings, r *http.Response, entry uint64) {
	if g.o.Learn == nil || r.StatusCode/100 != 2 || r.ContentLength > longestLesson {
		return
	}
	if !slices.ContainsFunc(a.route.Mappings(), func(m vendor.Mapping) bool { return m.In == "response" }) {
		return
	}
	people := f.People()
	if len(people) != 1 || len(people[0].Identifiers) == 0 {
		return // whose it is would be a guess
	}
	v, route, of, status := a.x.Vendor, a.route, people[0].Identifiers, r.StatusCode
	header := map[string][]string{}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		if values, ok := r.Header[name]; ok {
			header[name] = slices.Clone(values)
		}
	}
	r.Body = &overheard{ReadCloser: r.Body, whole: func(body []byte) {
		g.lessons.take(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			for _, id := range v.classifier.Learn(route, status, header, body) {
				if g.isToken(v.ID(), id.Value) {
					continue
				}
				if err := g.o.Learn.Link(ctx, v.ID(), of, id, entry); err != nil {
					g.o.Log.Debug("not learnt", "vendor", v.ID(), "error", err)
				}
			}
		})
	}}
}

// isToken reports whether a value is a token at the vendor: what it echoes of
// ours is no name of anybody.
func (g *Gateway) isToken(v exposure.VendorID, value string) bool {
	if g.o.Tokens == nil || g.o.Table == nil {
		return false
	}
	return slices.ContainsFunc(g.o.Tokens.AppendString(nil, value), func(c token.Candidate) bool {
		_, ok, _ := g.o.Table.Resolve(v, c.Key)
		return ok
	})
}

// overheard keeps a copy of a body that is read to its end, if it is short.
type overheard struct {
	io.ReadCloser
	copy  []byte
	long  bool
	whole func([]byte) // nil once it was told
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	if !o.long {
		if len(o.copy)+n > longestLesson {
			o.long, o.copy = true, nil
		} else {
			o.copy = append(o.copy, p[:n]...)
		}
	}
	if err == io.EOF && !o.long && o.whole != nil {
		o.whole(o.copy)
		o.whole = nil
	}
	return n, err
}

// Waiting passes the question on.
func (o *overheard) Waiting() bool {
	w, ok := o.ReadCloser.(interface{ Waiting() bool })
	return !ok || w.Waiting()
}

// lessons runs what is learnt beside the messages.
type lessons struct {
	mu    sync.Mutex
	now   int  // guarded by mu
	over  bool // guarded by mu
	tasks sync.WaitGroup
}

func (l *lessons) take(task func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over || l.now >= lessonsAtOnce {
		return
	}
	l.now++
	l.tasks.Go(func() {
		task()
		l.mu.Lock()
		l.now--
		l.mu.Unlock()
	})
}

func (l *lessons) wait() {
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	l.tasks.Wait()
}
