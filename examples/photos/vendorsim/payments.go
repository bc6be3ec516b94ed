package vendorsim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// payments answers as Stripe's API does: form in, objects out, an idempotency
// key answers with the first object again.
type payments struct {
	mu      sync.Mutex
	objects map[string]map[string]any // by id, and by idempotency key
}

// kinds are the collections that can be created, and their ids' prefixes.
var kinds = map[string]struct{ object, prefix string }{
	"customers":       {"customer", "cus_"},
	"payment_intents": {"payment_intent", "pi_"},
	"charges":         {"charge", "ch_"},
}

func (p *payments) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Request-Id", identifier("req_"))
	if r.Header.Get("Authorization") == "" {
		paymentError(w, http.StatusUnauthorized, "invalid_request_error", "You did not provide an API key.")
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "v1" {
		unrecognized(w, r)
		return
	}
	kind, known := kinds[parts[1]]
	if !known {
		unrecognized(w, r)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Method != http.MethodPost {
		p.read(w, r, parts)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		paymentError(w, http.StatusBadRequest, "invalid_request_error", "Invalid request body")
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if before, again := p.objects["key:"+key]; again && key != "" {
		w.Header().Set("Idempotent-Replayed", "true")
		writeJSON(w, http.StatusOK, before)
		return
	}
	object := map[string]any{}
	if len(parts) == 3 {
		if object = p.objects[parts[2]]; object == nil {
			missing(w, kind.object, parts[2])
			return
		}
	} else {
		object["id"] = identifier(kind.prefix)
		object["object"] = kind.object
		object["created"] = time.Now().Unix()
		object["livemode"] = false
	}
	for name, values := range form {
		setForm(object, name, values[len(values)-1])
	}
	// A real account forgets too, only later; memory is bounded here.
	if len(p.objects) > 20_000 {
		clear(p.objects)
	}
	p.objects[object["id"].(string)] = object
	if key != "" {
		p.objects["key:"+key] = object
	}
	writeJSON(w, http.StatusOK, object)
}

func (p *payments) read(w http.ResponseWriter, r *http.Request, parts []string) {
	if r.Method != http.MethodGet {
		unrecognized(w, r)
		return
	}
	if len(parts) == 2 {
		writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": []any{}, "has_more": false, "url": r.URL.Path})
		return
	}
	object, ok := p.objects[parts[2]]
	if !ok {
		missing(w, kinds[parts[1]].object, parts[2])
		return
	}
	writeJSON(w, http.StatusOK, object)
}

// setForm puts a bracketed key, address[line1], where it belongs. Amounts are
// numbers in Stripe's objects.
func setForm(object map[string]any, name, value string) {
	path := strings.Split(strings.ReplaceAll(name, "]", ""), "[")
	at := object
	for _, step := range path[:len(path)-1] {
		next, ok := at[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			at[step] = next
		}
		at = next
	}
	last := path[len(path)-1]
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && last == "amount" {
		at[last] = n
		return
	}
	at[last] = value
}

func (*payments) refuse(w http.ResponseWriter, status int, retryAfter time.Duration) {
	w.Header().Set("Request-Id", identifier("req_"))
	setRetryAfter(w, retryAfter)
	if status == http.StatusTooManyRequests {
		w.Header().Set("Stripe-Should-Retry", "true")
		writeJSON(w, status, map[string]any{"error": map[string]any{"type": "invalid_request_error", "code": "rate_limit",
			"message": "Request rate limit exceeded."}})
		return
	}
	paymentError(w, status, "api_error", "An unknown error occurred")
}

func missing(w http.ResponseWriter, object, id string) {
	paymentError(w, http.StatusNotFound, "invalid_request_error", "No such "+object+": '"+id+"'")
}

func unrecognized(w http.ResponseWriter, r *http.Request) {
	paymentError(w, http.StatusNotFound, "invalid_request_error", "Unrecognized request URL ("+r.Method+": "+r.URL.Path+").")
}

func paymentError(w http.ResponseWriter, status int, kind, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{"type": kind, "message": message}})
}
