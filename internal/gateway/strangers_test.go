package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"cordon/internal/gateway"
	"cordon/internal/isolate"
)

// Without apps every page whose name was rebound to 127.0.0.1 sends with
// our credential and reads the answer.
func TestRouteCalledByAForeignNameIsRefused(t *testing.T) {
	b := start(t, setup{})
	answer := raw(t, b.route, "POST /acme/send HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: "+fmt.Sprint(len(ada))+"\r\n\r\n"+ada)
	if strings.HasPrefix(answer, "HTTP/1.1 2") || len(b.recorder.recorded) > 0 {
		t.Errorf("served a page of another site: %.60s", answer)
	}
}

// A cut route is reached by a path that only the vendor reads as it.
func TestCutRouteIsNotReachedByAnotherSpelling(t *testing.T) {
	b := start(t, setup{manifest: "unclassified: pass\n"})
	if _, err := b.gateway.Change(context.Background(), gateway.Order{Vendor: "acme", Route: "POST /send", To: isolate.Cut, Actor: "t"}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/send", "//send", "/SEND", "/./send", "/send;x", "/%2e/send"} {
		answer := raw(t, b.route, "POST /acme"+p+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "+fmt.Sprint(len(ada))+"\r\n\r\n"+ada)
		if !strings.HasPrefix(answer, "HTTP/1.1 503") {
			t.Errorf("%s after the cut: %.20s", p, answer)
		}
	}
}

// An endpoint that echoes requests gives our secret to the app in its body.
func TestEchoOfOurSecretInABodyIsOverwritten(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"headers":{"authorization":"`+r.Header.Get("Authorization")+`"}}`)
	}})
	resp := b.post("/acme/send", ada)
	body, _ := io.ReadAll(resp.Body)
	if strings.Contains(string(body), "s3cret-of-acme") {
		t.Errorf("the app got %s", body)
	}
}

// Each credential an app shows becomes a pathway for ever: in memory, in
// the ledger, and as keys of the index. SigV4 and OAuth show a new one each time.
func TestCredentialsOfAppsDoNotGrowTheLedgerWithoutBound(t *testing.T) {
	b := start(t, setup{manifest: "credential:\n"})
	ways := map[string]bool{}
	for i := range 2000 {
		b.post("/acme/send", ada, "Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=%d", i)).Body.Close()
	}
	for _, d := range b.recorder.recorded {
		ways[d.Pathway.Credential] = true
	}
	if len(ways) > 1024 {
		t.Errorf("%d pathways for one app and one AWS key", len(ways))
	}
}

// A browser sends the console's cookie to every port of localhost.
func TestConsoleSessionDoesNotReachAVendor(t *testing.T) {
	b := start(t, setup{})
	b.post("/acme/send", ada, "Cookie", "cordon_session=abc; other=1")
	if c := b.vendor.last(t).header.Get("Cookie"); strings.Contains(c, "cordon_session") {
		t.Errorf("the vendor got %s", c)
	}
}
