package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"photos/people"
)

// service is the photo-sharing service's own programs: what they tell vendors.
type service struct {
	gate    string            // Cordon's reverse routes
	proxied http.RoundTripper // through Cordon's forward proxy
	people  []people.Person
	rate    float64
	seed    uint64

	mu      sync.Mutex
	results map[string]map[string]int // by vendor and what came of it
	closed  map[string]string         // vendors whose gate refuses, and its answer
}

// sender is one program of the service. It returns what came of one message:
// "ok", or the vendor's or the gate's refusal in a word or two.
type sender struct {
	vendor    string
	perSecond float64
	send      func(ctx context.Context, r *rand.Rand) result
}

// result is what one message came to. Gate says that Cordon, not the vendor,
// answered.
type result struct {
	what string
	gate bool
}

func (s *service) run(ctx context.Context) {
	s.results, s.closed = map[string]map[string]int{}, map[string]string{}
	var all sync.WaitGroup
	for i, one := range []sender{
		{"acme-mail", 4, s.notification()},
		{"acme-mail", 0.1, s.digest()},
		{"acme-pay", 2, s.purchase()},
		{"acme-insight", 6, s.activity()},
	} {
		all.Go(func() { s.steadily(ctx, one, rand.New(rand.NewPCG(s.seed, uint64(10+i)))) })
	}
	all.Wait()
}

// steadily sends with random pauses, as independent users cause messages, and
// never waits for an answer: a slow vendor must not slow the service down.
func (s *service) steadily(ctx context.Context, one sender, r *rand.Rand) {
	var flying sync.WaitGroup
	defer flying.Wait()
	room := make(chan struct{}, 64) // bounded all the same
	for {
		pause := time.Duration(r.ExpFloat64() / (one.perSecond * s.rate) * float64(time.Second))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		own := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
		select {
		case room <- struct{}{}:
		default:
			s.note(one.vendor, result{what: "skipped: the vendor is too slow"})
			continue
		}
		flying.Go(func() {
			defer func() { <-room }()
			// Not ctx: what was begun is finished, as in a service that drains.
			each, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			s.note(one.vendor, one.send(each, own))
		})
	}
}

// note counts, and tells when a gate closes or opens.
func (s *service) note(vendor string, r result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.results[vendor] == nil {
		s.results[vendor] = map[string]int{}
	}
	s.results[vendor][r.what]++
	before, was := s.closed[vendor]
	switch {
	case r.gate && (!was || before != r.what):
		s.closed[vendor] = r.what
		say("%s: Cordon refuses our messages: %s", vendor, r.what)
	case !r.gate && was && r.what == "ok":
		delete(s.closed, vendor)
		say("%s: messages pass again", vendor)
	}
}

// summary says what came of everything.
func (s *service) summary() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, vendor := range []string{"acme-mail", "acme-pay", "acme-insight"} {
		var parts []string
		for what, n := range s.results[vendor] {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
		sort.Strings(parts)
		say("%s: %s", vendor, strings.Join(parts, ", "))
	}
}

// anybody draws a user; a few are much more active than the rest.
func (s *service) anybody(r *rand.Rand) people.Person {
	x := r.Float64()
	return s.people[int(x*x*float64(len(s.people)))]
}
