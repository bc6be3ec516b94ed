package vendorsim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// mail answers as SendGrid's v3 API does.
type mail struct{}

func (*mail) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		mailError(w, http.StatusUnauthorized, "Permission denied, wrong credentials")
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != "/v3/mail/send" {
		mailError(w, http.StatusNotFound, "not found")
		return
	}
	var message struct {
		Personalizations []struct {
			To []struct{ Email string } `json:"to"`
		} `json:"personalizations"`
	}
	if err := json.Unmarshal(body, &message); err != nil {
		mailError(w, http.StatusBadRequest, "Bad Request")
		return
	}
	for _, p := range message.Personalizations {
		for _, to := range p.To {
			if !strings.Contains(to.Email, "@") {
				mailError(w, http.StatusBadRequest, "Does not contain a valid address.")
				return
			}
		}
	}
	if len(message.Personalizations) == 0 {
		mailError(w, http.StatusBadRequest, "The personalizations field is required and must have at least one personalization.")
		return
	}
	w.Header().Set("X-Message-Id", identifier(""))
	w.WriteHeader(http.StatusAccepted) // no body
}

func (*mail) refuse(w http.ResponseWriter, status int, retryAfter time.Duration) {
	text := http.StatusText(status)
	if status == http.StatusTooManyRequests {
		text = "too many requests"
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(retryAfter).Unix(), 10))
	}
	setRetryAfter(w, retryAfter)
	mailError(w, status, text)
}

func mailError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]any{"errors": []any{map[string]any{"message": message, "field": nil, "help": nil}}})
}

func setRetryAfter(w http.ResponseWriter, after time.Duration) {
	if after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(after.Seconds())))
	}
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // a client that left is no error here
}

// identifier is prefix and 14 random characters, as vendors make them.
func identifier(prefix string) string {
	var b [7]byte
	rand.Read(b[:])
	return fmt.Sprintf("%s%x", prefix, b)
}
