package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
)

const learning = tokenised + `mapping:
  - {on: POST /send, fields: {email: user.contact.email, name: user.name}}
  - {on: POST /send, in: response, fields: {id: user.unique_id.pseudonymous, email: user.contact.email}}
  - {on: POST /many, subjects: 'list[]', fields: {email: user.contact.email}}
  - {on: POST /many, in: response, fields: {id: user.unique_id.pseudonymous}}
`

// The id under which the vendor keeps somebody is theirs from the answer on.
func TestAnswerTellsUnderWhichIdTheVendorKnowsAPerson(t *testing.T) {
	var answer string
	status := 201
	b := start(t, setup{manifest: learning, handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, strings.Replace(answer, "ECHO", vendorEcho(r), 1))
	}})
	pseudonym := func(id string) (exposure.Ordinal, bool) {
		o, ok, err := b.ledger.Lookup(exposure.Identifier{Kind: exposure.KindPseudonym, Vendor: "acme", Value: id})
		check(t, err)
		return o, ok
	}
	answer = `{"id":"cus_1","email":"ECHO"}`
	if got := answerOf(t, b.post("/acme/send", ada)); !strings.Contains(got, `"cus_1"`) || strings.Contains(got, "ada@") {
		t.Errorf("the app got %s", got)
	}
	who, _, err := b.ledger.Lookup(exposure.Identifier{Kind: exposure.KindEmail, Value: "ada@example.org"})
	check(t, err)
	waitFor(t, "the id is learnt", func() bool { o, ok := pseudonym("cus_1"); return ok && o == who })
	links, err := b.ledger.Links(who)
	check(t, err)
	if len(links) != 1 { // and not the token that the vendor echoed as an address
		t.Errorf("links %+v", links)
	}

	// From several people, from a refusal and from a long answer nothing is learnt.
	answer = `{"id":"cus_2"}`
	answerOf(t, b.post("/acme/many", `{"list":[{"email":"a@example.org"},{"email":"b@example.org"}]}`))
	status, answer = 400, `{"id":"cus_3"}`
	answerOf(t, b.post("/acme/send", ada))
	status, answer = 201, `{"id":"cus_4","x":"`+strings.Repeat("y", 300<<10)+`"}`
	if n := len(answerOf(t, b.post("/acme/send", ada))); n != len(answer) {
		t.Errorf("the app got %d of %d bytes", n, len(answer))
	}
	status, answer = 201, `{"id":"cus_5"}`
	answerOf(t, b.post("/acme/send", ada))
	waitFor(t, "a later id is learnt", func() bool { _, ok := pseudonym("cus_5"); return ok })
	for i := 2; i < 5; i++ {
		if o, ok := pseudonym(fmt.Sprintf("cus_%d", i)); ok {
			t.Errorf("cus_%d is %v", i, o)
		}
	}
}

func vendorEcho(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	_, rest, _ := strings.Cut(string(body), `"email":"`)
	email, _, _ := strings.Cut(rest, `"`)
	return email
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}
