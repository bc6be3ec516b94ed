package gateway_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"cordon/internal/exposure"
	"cordon/internal/gateway"
	"cordon/internal/isolate"
	"cordon/internal/ledger"
)

// through is a client that uses the proxy and trusts the CA.
func (b *bed) through(h2 bool, user *url.Userinfo) *http.Client {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b.ca) {
		b.t.Fatal("no CA")
	}
	tr := &http.Transport{
		Proxy:             http.ProxyURL(&url.URL{Scheme: "http", Host: b.proxy, User: user}),
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: h2,
	}
	b.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 10 * time.Second}
}

func TestInterceptedTunnelIsServedLikeARoute(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2 %v", h2), func(t *testing.T) {
			b := start(t, setup{tls: true, manifest: "tls: {ca: file:acme-ca.pem}\nminimize: {user.name: drop}\n"})
			c := b.through(h2, nil)
			for range 3 {
				resp, err := c.Post("https://api.acme.example/send?a=%2F", "application/json", strings.NewReader(ada))
				check(t, err)
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 202 || (resp.ProtoMajor == 2) != h2 {
					t.Fatalf("%s %s", resp.Proto, resp.Status)
				}
			}
			got := b.vendor.last(t)
			if got.target != "/send?a=%2F" || got.body != `{"email":"ada@example.org"}` || got.header.Get("Authorization") != "Bearer s3cret-of-acme" {
				t.Errorf("the vendor got %+v", got)
			}
			if b.people() != 3 {
				t.Errorf("%d people in the ledger", b.people())
			}
			if st := b.gates.Gate("acme").Status(); st.Clients != 1 || st.Conns != 1 {
				t.Errorf("the register holds %d clients and %d connections", st.Clients, st.Conns)
			}
			for end := time.Now().Add(10 * time.Second); b.gates.Gate("acme").Status().Clients > 0; time.Sleep(10 * time.Millisecond) {
				c.CloseIdleConnections() // again and again: over HTTP/2 a connection is idle a moment after its last answer
				if time.Now().After(end) {
					t.Fatal("the client is still registered")
				}
			}
		})
	}
}

func TestPlainRequestThroughTheProxy(t *testing.T) {
	b := start(t, setup{})
	resp, err := b.through(false, nil).Post("http://api.acme.example/send", "application/json", strings.NewReader(ada))
	check(t, err)
	if resp.StatusCode != 202 || b.vendor.last(t).target != "/send" {
		t.Errorf("%s", resp.Status)
	}
}

func TestUnknownHostIsRefusedListedAndNoted(t *testing.T) {
	b := start(t, setup{})
	for _, request := range []string{
		"CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n",
		"CONNECT 127.0.0.1:22 HTTP/1.0\r\n\r\n",
		"GET http://other.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n",
	} {
		// What follows a refused CONNECT must not be taken for a request.
		out := raw(t, b.proxy, request+"GET http://api.acme.example/send HTTP/1.1\r\nHost: api.acme.example\r\n\r\n")
		if !strings.Contains(out, " 403 ") || !strings.Contains(out, "unknown-host") || strings.Count(out, "HTTP/1.") != 1 {
			t.Errorf("got %q", out)
		}
	}
	if r := b.recorder.refusals(); len(r) != 3 || b.vendor.received() != 0 {
		t.Errorf("noted %v", r)
	}
	if o := b.gateway.Observed(); len(o) != 2 || o[0].Host != "other.example" || o[0].Count != 2 || o[0].Tunnelled {
		t.Errorf("listed %+v", o)
	}
}

func TestProxyPasswordIsTheAppsToken(t *testing.T) {
	b := start(t, setup{apps: []gateway.App{{Name: "web"}}})
	for _, user := range []*url.Userinfo{nil, url.UserPassword("web", "wrong"), url.UserPassword("other", token)} {
		if _, err := b.through(false, user).Get("https://api.acme.example/x"); err == nil || !strings.Contains(err.Error(), "Proxy Authentication Required") {
			t.Errorf("%v: %v", user, err)
		}
	}
	if out := raw(t, b.proxy, "CONNECT api.acme.example:443 HTTP/1.1\r\nHost: api.acme.example:443\r\n\r\n"); !strings.Contains(out, "Proxy-Authenticate: Basic") {
		t.Errorf("got %q", out)
	}
	resp, err := b.through(false, url.UserPassword("web", token)).Post("http://api.acme.example/send", "application/json", strings.NewReader(ada))
	check(t, err)
	if resp.StatusCode != 202 || b.recorder.recorded[0].Pathway.App != "web" || b.vendor.last(t).header.Get("Proxy-Authorization") != "" {
		t.Error(resp.Status)
	}
}

// tunnelled opens a tunnel by hand.
func (b *bed) tunnelled(host, serverName string) (*tls.Conn, error) {
	c, err := net.Dial("tcp", b.proxy)
	check(b.t, err)
	b.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "CONNECT %s:443 HTTP/1.1\r\nHost: %s:443\r\n\r\n", host, host)
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, &http.Request{Method: "CONNECT"})
	check(b.t, err)
	if resp.StatusCode != 200 {
		b.t.Fatal(resp.Status)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b.ca)
	t := tls.Client(c, &tls.Config{RootCAs: pool, ServerName: serverName})
	return t, t.Handshake()
}

func TestNamesOfATunnelMustAgree(t *testing.T) {
	b := start(t, setup{hosts: "api.acme.example, eu.acme.example"})
	if _, err := b.tunnelled("api.acme.example", "eu.acme.example"); err == nil {
		t.Error("another server name than the CONNECT's was taken")
	}
	for host, status := range map[string]string{"eu.acme.example": "202", "other.example": "421", "api.acme.example:443": "202"} {
		c, err := b.tunnelled("api.acme.example", "api.acme.example")
		check(t, err)
		fmt.Fprintf(c, "POST /send HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", host, len(ada), ada)
		out, _ := io.ReadAll(c)
		if !strings.HasPrefix(string(out), "HTTP/1.1 "+status) {
			t.Errorf("%s: %q", host, out)
		}
	}
	if r := b.recorder.refusals(); len(r) != 2 || len(b.vendor.messages()) != 2 {
		t.Errorf("noted %v, the vendor saw %d", r, len(b.vendor.messages()))
	}
}

func TestSmugglingInsideATunnelIsRefused(t *testing.T) {
	b := start(t, setup{})
	c, err := b.tunnelled("api.acme.example", "api.acme.example")
	check(t, err)
	fmt.Fprint(c, "POST /send HTTP/1.1\r\nHost: api.acme.example\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcdGET /x HTTP/1.1\r\nHost: api.acme.example\r\n\r\n")
	out, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(out), "HTTP/1.1 400") || strings.Count(string(out), "Date: ") != 1 || b.vendor.received() != 0 {
		t.Errorf("got %q", out)
	}
}

func TestCutTunnelAnswersInsideAndIsNotOpenedAgain(t *testing.T) {
	b := start(t, setup{})
	c := b.through(false, nil)
	post := func() int {
		resp, err := c.Post("https://api.acme.example/send", "application/json", strings.NewReader(ada))
		check(t, err)
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return resp.StatusCode
	}
	if s := post(); s != 202 {
		t.Fatal(s)
	}
	b.gateway.Change(t.Context(), gateway.Order{Vendor: "acme", To: isolate.Cut})
	n := b.vendor.received()
	if s := post(); s != 503 || b.vendor.received() != n {
		t.Errorf("answer %d", s)
	}
}

// echo is a server that no manifest names.
func echo(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	return ln.Addr().String()
}

func TestObservedTunnelDoesNotLeadToOurOwnNetwork(t *testing.T) {
	b := start(t, setup{observe: true})
	for _, target := range []string{echo(t), "localhost:" + strings.Split(echo(t), ":")[1], "169.254.169.254:80", "[::ffff:10.0.0.1]:80"} {
		out := raw(t, b.proxy, "CONNECT "+target+" HTTP/1.1\r\nHost: "+target+"\r\n\r\n")
		if !strings.Contains(out, "502") || !strings.Contains(out, "address-forbidden") {
			t.Errorf("%s: %q", target, out)
		}
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.NotSent {
		t.Errorf("outcome %+v", o)
	}
	if d := b.recorder.recorded[0]; d.Pathway.Vendor != gateway.ObservedVendor || !slices.Contains(d.Cleared.Incomplete(), exposure.IncompleteTunnel) {
		t.Errorf("recorded %+v", d.Pathway)
	}
}

func TestObservedVendorCanBeCut(t *testing.T) {
	b := start(t, setup{observe: true})
	if _, err := b.gateway.Change(t.Context(), gateway.Order{Vendor: gateway.ObservedVendor, To: isolate.Cut}); err != nil {
		t.Fatal(err)
	}
	out := raw(t, b.proxy, "CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n")
	if !strings.Contains(out, "503") || !strings.Contains(out, "vendor-cut") {
		t.Errorf("got %q", out)
	}
}

func TestObservedTunnelToAVendorInDisguiseIsBrokenOff(t *testing.T) {
	b := start(t, setup{observe: true})
	target := echo(t)
	gateway.AllowObserved(b.gateway, "127.0.0.1")
	c, err := net.Dial("tcp", b.proxy)
	check(t, err)
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target)
	br := bufio.NewReader(c)
	if resp, err := http.ReadResponse(br, &http.Request{Method: "CONNECT"}); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	if err := tls.Client(c, &tls.Config{ServerName: "api.acme.example"}).Handshake(); err == nil {
		t.Fatal("a vendor was reached past its gate")
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.NotSent || o.Bytes != 0 {
		t.Errorf("outcome %+v", o)
	}
	if notes := fmt.Sprint(b.recorder.notes); !strings.Contains(notes, "TLS server name of a vendor") {
		t.Errorf("notes %s", notes)
	}
}

func TestObservedTunnelCarriesBothWaysAndIsSettled(t *testing.T) {
	b := start(t, setup{observe: true})
	target := echo(t)
	gateway.AllowObserved(b.gateway, "127.0.0.1")
	b.recorder.set(func() { b.recorder.after = func() { time.Sleep(20 * time.Millisecond) } })
	open := func() (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", b.proxy)
		check(t, err)
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\nhello", target, target) // the first bytes come with the head
		br := bufio.NewReader(c)
		resp, err := http.ReadResponse(br, &http.Request{Method: "CONNECT"})
		check(t, err)
		if resp.StatusCode != 200 {
			t.Fatal(resp.Status)
		}
		got := make([]byte, 5)
		if _, err := io.ReadFull(br, got); err != nil || string(got) != "hello" {
			t.Fatalf("%q %v", got, err)
		}
		return c, br
	}
	c, br := open()
	c.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(br); len(rest) != 0 || err != nil {
		t.Errorf("%q %v", rest, err)
	}
	if o := b.recorder.outcome(t, 0); o.Result != ledger.Sent || o.Bytes != 5 {
		t.Errorf("outcome %+v", o)
	}
	_, br = open()
	b.gateway.Change(t.Context(), gateway.Order{Vendor: gateway.ObservedVendor, To: isolate.Cut})
	if _, err := br.ReadByte(); err == nil {
		t.Error("the tunnel outlived the cut")
	}
	if o := b.gateway.Observed(); len(o) != 1 || !o[0].Tunnelled {
		t.Errorf("listed %+v", o)
	}
}
