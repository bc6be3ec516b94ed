package vendorsim

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func post(t *testing.T, url, body string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(text)
}

func TestMailAnswersAsItsVendorDoes(t *testing.T) {
	v, err := Mail("127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	good := `{"personalizations":[{"to":[{"email":"ada@mail.example"}]}]}`
	for name, c := range map[string]struct {
		body, key string
		want      int
	}{
		"a message":         {good, "Bearer k", 202},
		"no key":            {good, "", 401},
		"nobody to send to": {`{}`, "Bearer k", 400},
		"no address":        {`{"personalizations":[{"to":[{"email":"ada"}]}]}`, "Bearer k", 400},
		"no JSON":           {`{`, "Bearer k", 400},
	} {
		r, body := post(t, v.URL()+"/v3/mail/send", c.body, "Authorization", c.key)
		if r.StatusCode != c.want || c.want == 202 && (r.Header.Get("X-Message-Id") == "" || body != "") {
			t.Errorf("%s: %d %v %s", name, r.StatusCode, r.Header, body)
		}
	}
}

func TestAboveItsLimitAVendorSays429AndRecovers(t *testing.T) {
	v, err := Mail("127.0.0.1:0", Options{PerSecond: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	send := func() int {
		r, _ := post(t, v.URL()+"/v3/mail/send", `{"personalizations":[{"to":[]}]}`, "Authorization", "Bearer k")
		if r.StatusCode == 429 && r.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
		return r.StatusCode
	}
	for range 20 {
		send()
	}
	if n := v.Answers(); n[429] < 10 || n[202] < 5 {
		t.Errorf("answers: %v", n)
	}
	time.Sleep(400 * time.Millisecond)
	if status := send(); status != 202 {
		t.Errorf("after a pause: %d", status)
	}
}

func TestPaymentWithTheSameIdempotencyKeyIsMadeOnce(t *testing.T) {
	v, err := Payments("127.0.0.1:0", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	create := func(key string) (string, bool) {
		r, body := post(t, v.URL()+"/v1/customers", "email=ada%40mail.example&address[country]=DE",
			"Authorization", "Bearer k", "Idempotency-Key", key, "Content-Type", "application/x-www-form-urlencoded")
		return body, r.Header.Get("Idempotent-Replayed") == "true"
	}
	first, replayed := create("a")
	again, replayedAgain := create("a")
	other, _ := create("b")
	if replayed || !replayedAgain || first != again || first == other || !strings.Contains(first, `"address":{"country":"DE"}`) {
		t.Errorf("%s\n%s\n%s", first, again, other)
	}
}
