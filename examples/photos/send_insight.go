package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"photos/people"
)

var events = []string{"Photo Uploaded", "Photo Liked", "Album Shared", "Search Made", "Comment Written"}

// activity tells analytics what users do. It speaks the vendor's HTTP API
// itself, batches and retries included: there was no Go module of its SDK to
// be had (test/clients runs the one for Node).
func (s *service) activity() func(context.Context, *rand.Rand) result {
	client := &http.Client{Timeout: 10 * time.Second}
	return func(ctx context.Context, r *rand.Rand) result {
		var batch []any
		for range 1 + r.IntN(4) {
			p := s.anybody(r)
			if r.IntN(5) == 0 {
				batch = append(batch, call("identify", p, r, map[string]any{"traits": traits(p)}))
			}
			batch = append(batch, call("track", p, r, map[string]any{
				"event": events[r.IntN(len(events))], "properties": map[string]any{"photos": 1 + r.IntN(20)},
			}))
		}
		body, err := json.Marshal(map[string]any{"batch": batch, "writeKey": "example", "sentAt": time.Now().UTC()})
		if err != nil {
			return result{what: err.Error()}
		}
		var last result
		for attempt := range 3 {
			last = s.post(ctx, client, body)
			if last.gate || last.what != "answer 500" && last.what != "answer 503" && last.what != "answer 429" {
				break
			}
			select {
			case <-time.After(time.Duration(200<<attempt) * time.Millisecond):
			case <-ctx.Done():
				return last
			}
		}
		return last
	}
}

func (s *service) post(ctx context.Context, client *http.Client, body []byte) result {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.gate+"/acme-insight/v1/batch", bytes.NewReader(body))
	if err != nil {
		return result{what: err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("example", "")
	answer, err := client.Do(req)
	if err != nil {
		return result{what: "no answer"}
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	return outcome(answer.StatusCode, answer.Header, string(text))
}

// call is one element of a batch, as the vendor's SDKs build it.
func call(kind string, p people.Person, r *rand.Rand, more map[string]any) map[string]any {
	c := map[string]any{
		"type": kind, "userId": p.ID, "messageId": fmt.Sprintf("msg-%x", r.Uint64()),
		"timestamp": time.Now().UTC().Format(time.RFC3339Nano),
		"context":   map[string]any{"ip": p.IP, "locale": p.Language, "library": map[string]any{"name": "photos"}},
	}
	for k, v := range more {
		c[k] = v
	}
	return c
}

func traits(p people.Person) map[string]any {
	t := map[string]any{"email": p.Email, "name": p.Name, "username": p.Username, "address": map[string]any{"country": p.Country}}
	if p.Phone != "" {
		t["phone"] = p.Phone
	}
	if p.Birth != "" {
		t["birthday"] = p.Birth
	}
	return t
}

// outcome tells the vendor's answers from the gate's: Cordon's refusals are
// problem details (RFC 9457) with a reason.
func outcome(status int, header http.Header, body string) result {
	var problem struct{ Reason string }
	if header.Get("Content-Type") == "application/problem+json" && json.Unmarshal([]byte(body), &problem) == nil {
		return result{what: fmt.Sprintf("refused by the gate (%s)", problem.Reason), gate: true}
	}
	if status < 300 {
		return result{what: "ok"}
	}
	return result{what: fmt.Sprintf("answer %d", status)}
}
