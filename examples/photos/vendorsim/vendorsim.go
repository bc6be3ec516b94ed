// Package vendorsim simulates three vendors of an organisation, as far as a
// client can tell them from the real ones: a mail service with SendGrid's API,
// a payment service with Stripe's, an analytics service with Segment's.
//
// What public mocks leave out is what breaks gateways, so it is here: answers
// come late and unevenly, some are 429 with Retry-After, a few are 500 or 503,
// connections are kept alive, and shapes and headers are the vendors' own.
//
// For tests a vendor keeps every byte that reached its sockets (Options.Keep).
package vendorsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// Options say how a vendor behaves. The zero value answers at once, never
// fails, and keeps nothing.
type Options struct {
	// Median and P99 of the answer's delay, which is spread log-normally.
	Median, P99 time.Duration
	// PerSecond requests are let through, with a burst of as many; what comes
	// above is answered 429. Zero: no limit.
	PerSecond float64
	// FailureRate is the share of requests answered 500 or 503, half each.
	FailureRate float64
	// Seed makes delays and failures repeatable.
	Seed uint64
	// Keep every message and every byte received, for tests. Memory grows.
	Keep bool
}

// Message is one request as it arrived.
type Message struct {
	At     time.Time
	Method string
	Path   string // with the query
	Header http.Header
	Body   []byte
	Status int // what was answered
}

// Vendor is a running simulator.
type Vendor struct {
	Name string

	options  Options
	server   *http.Server
	listener net.Listener

	mu       sync.Mutex
	random   *rand.Rand
	tokens   float64 // of the rate limit
	refilled time.Time
	count    map[int]int // answers by status
	messages []Message
	wire     []*bytes.Buffer // one a connection, in order of arrival
}

// answerer is what a kind of vendor says to a good request.
type answerer interface {
	// answer writes the success shape, or the vendor's own 4xx.
	answer(w http.ResponseWriter, r *http.Request, body []byte)
	// refuse writes the vendor's error shape for 429, 500 and 503.
	refuse(w http.ResponseWriter, status int, retryAfter time.Duration)
}

// Mail starts a mail service on addr ("127.0.0.1:0" for any port).
func Mail(addr string, o Options) (*Vendor, error) { return start("mail", addr, o, &mail{}) }

// Payments starts a payment service.
func Payments(addr string, o Options) (*Vendor, error) {
	return start("payments", addr, o, &payments{objects: map[string]map[string]any{}})
}

// Analytics starts an analytics service.
func Analytics(addr string, o Options) (*Vendor, error) {
	return start("analytics", addr, o, &analytics{})
}

func start(name, addr string, o Options, kind answerer) (*Vendor, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("starting the %s simulator: %w", name, err)
	}
	v := &Vendor{Name: name, options: o, listener: l, count: map[int]int{},
		random: rand.New(rand.NewPCG(o.Seed, 1)), tokens: o.PerSecond, refilled: time.Now()}
	if o.Keep {
		l = keepingListener{l, v}
	}
	v.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { v.serve(kind, w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       75 * time.Second,
	}
	go func() {
		if err := v.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("the %s simulator stopped: %v", name, err))
		}
	}()
	return v, nil
}

// URL is the vendor's base URL.
func (v *Vendor) URL() string { return "http://" + v.listener.Addr().String() }

// Close ends the vendor and its connections.
func (v *Vendor) Close() error { return v.server.Close() }

// Shutdown ends it after the answers in progress.
func (v *Vendor) Shutdown(ctx context.Context) error { return v.server.Shutdown(ctx) }

// Messages are the requests received so far, in the order of their answers.
func (v *Vendor) Messages() []Message {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Message(nil), v.messages...)
}

// Wire is every byte received so far, connection after connection.
func (v *Vendor) Wire() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []byte
	for _, b := range v.wire {
		all = append(all, b.Bytes()...)
	}
	return all
}

// Answers counts the answers by status.
func (v *Vendor) Answers() map[int]int {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := map[int]int{}
	for status, n := range v.count {
		out[status] = n
	}
	return out
}

const largestBody = 32 << 20

func (v *Vendor) serve(kind answerer, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	if err != nil {
		return // the client went away, or sent too much: no vendor counts that
	}
	at := time.Now()
	status, retryAfter, delay := v.fate()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return
	}
	rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	if status != 0 {
		kind.refuse(rec, status, retryAfter)
	} else {
		kind.answer(rec, r, body)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.count[rec.status]++
	if v.options.Keep {
		v.messages = append(v.messages, Message{at, r.Method, r.URL.RequestURI(), r.Header.Clone(), body, rec.status})
	}
}

// fate draws what happens to the next request: 0 is a good answer.
func (v *Vendor) fate() (status int, retryAfter, delay time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delay = v.delay()
	if limit := v.options.PerSecond; limit > 0 {
		now := time.Now()
		v.tokens = min(limit, v.tokens+now.Sub(v.refilled).Seconds()*limit)
		v.refilled = now
		if v.tokens < 1 {
			return http.StatusTooManyRequests, time.Second, delay / 4
		}
		v.tokens--
	}
	if f := v.options.FailureRate; f > 0 {
		switch x := v.random.Float64(); {
		case x < f/2:
			return http.StatusInternalServerError, 0, delay
		case x < f:
			return http.StatusServiceUnavailable, time.Second, delay
		}
	}
	return 0, 0, delay
}

// delay is log-normal: exp(mu + sigma z), with 2.326 the normal's 99th percentile.
func (v *Vendor) delay() time.Duration {
	m, p := v.options.Median, max(v.options.P99, v.options.Median)
	if m <= 0 {
		return 0
	}
	sigma := math.Log(float64(p)/float64(m)) / 2.326
	return time.Duration(float64(m) * math.Exp(sigma*v.random.NormFloat64()))
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// keepingListener notes every byte that its connections read.
type keepingListener struct {
	net.Listener
	vendor *Vendor
}

func (l keepingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.vendor.mu.Lock()
	defer l.vendor.mu.Unlock()
	b := &bytes.Buffer{}
	l.vendor.wire = append(l.vendor.wire, b)
	return keepingConn{c, l.vendor, b}, nil
}

type keepingConn struct {
	net.Conn
	vendor *Vendor
	seen   *bytes.Buffer
}

func (c keepingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.vendor.mu.Lock()
	defer c.vendor.mu.Unlock()
	c.seen.Write(p[:n])
	return n, err
}
