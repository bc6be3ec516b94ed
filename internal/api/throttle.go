package api

import (
	"net/http"
	"sync"
	"time"
)

// throttle slows down whoever reads about people one by one: a stolen session
// must not be able to walk through the directory. The socket's owner, who can
// read the store anyway, is exempt.
type throttle struct {
	burst  float64
	refill time.Duration // for one

	mu   sync.Mutex
	left map[string]allowance // by actor; actors are few
}

type allowance struct {
	tokens float64
	at     time.Time
}

func newThrottle(burst int, refill time.Duration) *throttle {
	return &throttle{burst: float64(burst), refill: refill, left: map[string]allowance{}}
}

// take spends cost of the actor's allowance, or says how long to wait.
func (t *throttle) take(a Actor, cost float64, now time.Time) error {
	if a.Local {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	have, known := t.left[a.Name]
	if !known {
		have = allowance{tokens: t.burst, at: now}
	}
	have.tokens = min(t.burst, have.tokens+now.Sub(have.at).Seconds()/t.refill.Seconds())
	have.at = now
	if have.tokens < cost {
		t.left[a.Name] = have
		wait := time.Duration((cost - have.tokens) * float64(t.refill)).Round(time.Second)
		return problem(http.StatusTooManyRequests, "too-many-reads", "wait "+max(wait, time.Second).String(),
			"too many reads about people in a short time")
	}
	have.tokens -= cost
	t.left[a.Name] = have
	return nil
}
