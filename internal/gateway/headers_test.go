package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"cordon/internal/gateway"
	"cordon/internal/vault"
)

// startEarly is a vendor that answers as soon as it has the head, and closes.
func startEarly(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				br := bufio.NewReader(c)
				http.ReadRequest(br)
				io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
				io.Copy(io.Discard, br)
				c.Close()
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// script answers every request with the given bytes.
func script(t *testing.T, answer string) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				br := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(br)
					if err != nil {
						return
					}
					io.Copy(io.Discard, r.Body)
					io.WriteString(c, answer)
				}
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

func (s *simulator) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

func TestHopByHopFieldsStayHereAndOurCredentialDoesNot(t *testing.T) {
	b := start(t, setup{})
	raw(t, b.route, "POST /acme/send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "+fmt.Sprint(len(ada))+
		"\r\nConnection: close, Authorization, X-Secret-Hop\r\nAuthorization: Bearer mine\r\nX-Secret-Hop: 1\r\nTE: trailers\r\nProxy-Authorization: Basic eA==\r\n"+
		"X-Forwarded-For: 203.0.113.9\r\nKeep-Alive: 5\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nCordon-App: t\r\nX-Kept: yes\r\nAccept-Encoding: br\r\n\r\n"+ada)
	got := b.vendor.last(t)
	if got.header.Get("Authorization") != "Bearer s3cret-of-acme" || got.header.Get("X-Kept") != "yes" || got.header.Get("Accept-Encoding") != "identity" {
		t.Errorf("the vendor got %v", got.header)
	}
	for _, name := range []string{"Connection", "X-Secret-Hop", "Te", "Proxy-Authorization", "X-Forwarded-For", "Keep-Alive", "Upgrade", "Http2-Settings", "Cordon-App", "Expect"} {
		if v, there := got.header[name]; there {
			t.Errorf("the vendor got %s: %v", name, v)
		}
	}
	if got.host != strings.TrimPrefix(b.vendor.url, "http://") {
		t.Errorf("host %q", got.host)
	}
}

func TestAppsOwnCredentialIsReplacedAndNamedByDigestOnly(t *testing.T) {
	b := start(t, setup{})
	b.post("/acme/send", ada, "Authorization", "Bearer apps-own-key")
	if got := b.vendor.last(t).header["Authorization"]; len(got) != 1 || got[0] != "Bearer s3cret-of-acme" {
		t.Errorf("the vendor got %v", got)
	}
	if c := b.recorder.recorded[0].Pathway.Credential; c != "file:acme.secret" {
		t.Errorf("pathway's credential %q", c)
	}
	if notes := fmt.Sprint(b.recorder.notes); !strings.Contains(notes, "replaced_credential") || strings.Contains(notes, "apps-own-key") {
		t.Errorf("notes %s", notes)
	}
}

func TestCredentialsThatStandElsewhere(t *testing.T) {
	t.Run("query", func(t *testing.T) {
		b := start(t, setup{manifest: "credential: {in: query, name: key, secret: file:acme.secret}\n"})
		b.post("/acme/send?a=1&key=mine&b=%2f", ada)
		if got := b.vendor.last(t).target; got != "/send?a=1&b=%2f&key=s3cret-of-acme" {
			t.Errorf("target %q", got)
		}
	})
	t.Run("basic", func(t *testing.T) {
		b := start(t, setup{manifest: "credential: {in: basic, name: api, secret: file:acme.secret}\n"})
		b.post("/acme/send", ada)
		if got := b.vendor.last(t).header.Get("Authorization"); got != "Basic YXBpOnMzY3JldC1vZi1hY21l" {
			t.Errorf("authorization %q", got)
		}
	})
}

func TestEchoOfOurSecretIsStripped(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", "you said "+r.Header.Get("Authorization"))
		w.Header().Set("X-Other", "kept")
		w.Header().Set("Alt-Svc", `h3=":443"`)
	}})
	resp := b.post("/acme/send", ada)
	if resp.Header.Get("X-Echo") != "" || resp.Header.Get("X-Other") != "kept" || resp.Header.Get("Alt-Svc") != "" {
		t.Errorf("the app got %v", resp.Header)
	}
}

func TestAnswersInEveryFraming(t *testing.T) {
	for name, c := range map[string]struct{ answer, body string }{
		"length":      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
		"chunked":     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", "ok"},
		"interim":     {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
		"no content":  {"HTTP/1.1 204 No Content\r\n\r\n", ""},
		"close":       {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", "ok"},
		"two lengths": {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "502"},
		"switching":   {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "502"},
		"garbage":     {"220 smtp ready\r\n\r\n", "502"},
		"endless":     {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n", "502"},
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, setup{upstream: script(t, c.answer)})
			resp := b.post("/acme/send", ada)
			body, err := io.ReadAll(resp.Body)
			if c.body == "502" {
				if resp.StatusCode != 502 {
					t.Errorf("answer %s", resp.Status)
				}
				return
			}
			if err != nil || string(body) != c.body {
				t.Errorf("%s %q %v", resp.Status, body, err)
			}
		})
	}
}

func TestTrailersOfAnAnswerArrive(t *testing.T) {
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		w.Write([]byte("x"))
		w.Header().Set("Grpc-Status", "0")
	}})
	resp := b.post("/acme/send", ada)
	io.Copy(io.Discard, resp.Body)
	if resp.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("trailer %v", resp.Trailer)
	}
}

func TestEventsArriveAsTheyAreSent(t *testing.T) {
	next := make(chan bool)
	b := start(t, setup{handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			fmt.Fprint(w, "data: x\n\n")
			w.(http.Flusher).Flush()
			<-next
		}
	}})
	resp := b.post("/acme/send", ada)
	br := bufio.NewReader(resp.Body)
	for range 3 {
		line, err := br.ReadString('\n')
		if err != nil || line != "data: x\n" {
			t.Fatalf("%q %v", line, err)
		}
		br.ReadString('\n')
		next <- true // the vendor waits until the app has the event
	}
}

func TestExpectIsAnsweredHereAndNotForwarded(t *testing.T) {
	b := start(t, setup{})
	c, err := net.Dial("tcp", strings.TrimPrefix(b.route, "http://"))
	check(t, err)
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "POST /acme/send HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(ada))
	br := bufio.NewReader(c)
	if line, _ := br.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("got %q", line)
	}
	br.ReadString('\n')
	io.WriteString(c, ada)
	if line, _ := br.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 202") {
		t.Fatalf("got %q", line)
	}
	if b.vendor.last(t).header.Get("Expect") != "" {
		t.Error("forwarded")
	}
	b.gateway.Change(t.Context(), gateway.Order{Vendor: "acme"}) // the zero state is Cut
	out := raw(t, b.route, fmt.Sprintf("POST /acme/send HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(ada)))
	if !strings.HasPrefix(out, "HTTP/1.1 503") {
		t.Errorf("a cut vendor's app was asked for the body: %q", out)
	}
}

func TestPathIsForwardedExactlyAsItCame(t *testing.T) {
	b := start(t, setup{manifest: "unclassified: pass\n"})
	for _, path := range []string{"/a%2Fb/c", "/a//b", "/a/../b", "/%61", "/a;b=c?d=e&d=%20+", "/", "/a?"} {
		raw(t, b.route, "GET /acme"+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if got := b.vendor.last(t).target; got != strings.TrimSuffix(path, "?") {
			t.Errorf("%q became %q", path, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	b := start(t, setup{apps: []gateway.App{{Name: "web"}, {Name: "other", Token: vault.NewSecret([]byte("other-token")), Vendors: nil}, {Name: "bound", Token: vault.NewSecret([]byte("bound-token")), Vendors: []vendorID{"elsewhere"}}}})
	for name, c := range map[string]struct{ request, status, reason string }{
		"no token":          {"GET /acme/x HTTP/1.1\r\nHost: a\r\n\r\n", "401", "unknown-app"},
		"wrong token":       {"GET /acme/x HTTP/1.1\r\nHost: a\r\nCordon-App: nope\r\n\r\n", "401", "unknown-app"},
		"other vendor":      {"GET /acme/x HTTP/1.1\r\nHost: a\r\nCordon-App: bound-token\r\n\r\n", "403", "app-not-allowed"},
		"unknown vendor":    {"GET /nobody/x HTTP/1.1\r\nHost: a\r\nCordon-App: app-token-1\r\n\r\n", "404", "unknown-vendor"},
		"smuggling":         {"POST /acme/x HTTP/1.1\r\nHost: a\r\nCordon-App: app-token-1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /acme/y HTTP/1.1\r\nHost: a\r\nCordon-App: app-token-1\r\n\r\n", "400", "malformed-request"},
		"websocket":         {"GET /acme/x HTTP/1.1\r\nHost: a\r\nCordon-App: app-token-1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "501", "not-supported"},
		"odd method":        {"ADA.EXAMPLE /acme/x HTTP/1.1\r\nHost: a\r\nCordon-App: app-token-1\r\n\r\n", "501", "not-supported"},
		"page of elsewhere": {"POST /acme/x HTTP/1.1\r\nHost: a\r\nCordon-App: app-token-1\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n", "403", "malformed-request"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(b.recorder.refusals())
			c.request = strings.Replace(c.request, "Host: a\r\n", "Host: a\r\nConnection: close\r\n", 1)
			if name == "websocket" {
				c.request = strings.Replace(c.request, "Connection: close\r\n", "", 1)
			}
			out := rawOnce(t, b.route, c.request)
			if !strings.HasPrefix(out, "HTTP/1.1 "+c.status) || !strings.Contains(out, c.reason) || !strings.Contains(out, "application/problem+json") {
				t.Errorf("got %q", out)
			}
			if got := b.recorder.refusals()[before:]; len(got) != 1 || got[0] != c.reason {
				t.Errorf("noted %v", got)
			}
		})
	}
	if b.vendor.received() != 0 {
		t.Error("something reached the vendor")
	}
	if resp := b.post("/acme/send", ada, "Cordon-App", token); resp.StatusCode != 202 || b.recorder.recorded[0].Pathway.App != "web" {
		t.Errorf("%s", resp.Status)
	}
}

// rawOnce returns what comes within a moment, for connections that stay open.
func rawOnce(t testing.TB, addr, text string) string {
	c, err := net.Dial("tcp", strings.TrimPrefix(addr, "http://"))
	check(t, err)
	defer c.Close()
	io.WriteString(c, text)
	c.SetReadDeadline(time.Now().Add(time.Second))
	all, _ := io.ReadAll(c)
	return string(all)
}

// rawOnceQuick says something and leaves.
func rawOnceQuick(addr, text string) {
	if c, err := net.Dial("tcp", strings.TrimPrefix(addr, "http://")); err == nil {
		io.WriteString(c, text)
		time.Sleep(20 * time.Millisecond)
		c.Close()
	}
}
