package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"cordon/internal/isolate"
)

func TestWhereNoVendorLives(t *testing.T) {
	for _, a := range strings.Fields(`127.0.0.1 10.1.2.3 172.31.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.255 0.0.0.0 192.0.0.192
		198.18.0.1 224.0.0.1 255.255.255.255 ::1 :: fd00:ec2::254 fe80::1 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1
		64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1:: 2001:0:7f00:1:: 2001:db8::1 fe80::1%eth0`) {
		if Public(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as public", a)
		}
	}
	for _, a := range strings.Fields(`8.8.8.8 172.32.0.1 100.128.0.1 169.253.0.1 2606:4700::1111 64:ff9b::808:808 ::ffff:8.8.8.8`) {
		if !Public(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as forbidden", a)
		}
	}
}

func TestOnlyTheAddressThatTheManifestNamesIsAllowed(t *testing.T) {
	for _, c := range []struct {
		named, target, address string
		allowed                bool
	}{
		{"", "vendor.example:80", "127.0.0.1:80", false},
		{"", "vendor.example:80", "8.8.8.8:80", true},
		{"127.0.0.1", "127.0.0.1:80", "127.0.0.1:80", true},
		{"127.0.0.1", "127.0.0.2:80", "127.0.0.2:80", false},
		{"localhost", "localhost:80", "[::1]:80", true},
		{"localhost", "localhost:80", "10.0.0.1:80", false},
		{"vendor.example", "vendor.example:80", "10.0.0.1:80", false}, // a name is no permission
		{"10.0.0.5", "10.0.0.5:80", "10.0.0.5:80", true},
	} {
		err := guardAddresses([]string{c.named}, c.target)(context.Background(), "tcp", c.address, nil)
		if (err == nil) != c.allowed {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func gate(t *testing.T) *isolate.Gate {
	g, err := isolate.Load(t.TempDir(), []isolate.Known{{Vendor: "acme"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g.Gate("acme")
}

func TestPinnedKeyMustStandInTheChain(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	right := sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo)
	wrong := sha256.Sum256([]byte("another key"))
	target := Target{TLS: true, Host: s.Listener.Addr().String()}
	for _, c := range []struct {
		pin   []byte
		roots *x509.CertPool
		ok    bool
	}{{nil, roots, true}, {right[:], roots, true}, {wrong[:], roots, false}, {right[:], nil, false}} {
		client := New(Options{Gate: gate(t), Private: []string{"127.0.0.1"}, Roots: c.roots, Pin: c.pin})
		conn, err := client.Connect(context.Background(), target)
		if (err == nil) != c.ok {
			t.Errorf("pin %x: %v", c.pin, err)
		}
		if conn != nil {
			conn.Close()
		}
		if c.pin != nil && c.roots != nil && !c.ok && !errors.Is(err, ErrPin) {
			t.Errorf("got %v", err)
		}
	}
}

func TestCutVendorIsNotDialled(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	g := gate(t)
	g.Change(isolate.Cut, "")
	_, err := New(Options{Gate: g, Private: []string{"127.0.0.1"}}).Connect(context.Background(), Target{Host: s.Listener.Addr().String()})
	var r *isolate.Refusal
	if !errors.As(err, &r) {
		t.Errorf("got %v", err)
	}
}

// What comes from HTTP/2 or from a file has no line ends to trust.
func TestHeadThatCouldEndEarlyIsNotWritten(t *testing.T) {
	ok := Request{Method: "POST", Target: "/a?b", Host: "h", Header: http.Header{"X": {"y"}}}
	if _, err := appendHead(nil, &ok); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Request){
		"method":       func(r *Request) { r.Method = "GET / HTTP/1.1\r\nX:" },
		"target":       func(r *Request) { r.Target = "/ HTTP/1.1\r\nX: y" },
		"target space": func(r *Request) { r.Target = "/a b" },
		"host":         func(r *Request) { r.Host = "a\r\nX: y" },
		"name":         func(r *Request) { r.Header = http.Header{"A\r\nB": {"c"}} },
		"name colon":   func(r *Request) { r.Header = http.Header{"A: b": {"c"}} },
		"value":        func(r *Request) { r.Header = http.Header{"A": {"b\r\nTransfer-Encoding: chunked"}} },
		"value LF":     func(r *Request) { r.Header = http.Header{"A": {"b\nC: d"}} },
		"value NUL":    func(r *Request) { r.Header = http.Header{"A": {"b\x00"}} },
	} {
		r := ok
		change(&r)
		if b, err := appendHead(nil, &r); err == nil {
			t.Errorf("%s: wrote %q", name, b)
		}
	}
}

func FuzzHeadHasOneReading(f *testing.F) {
	f.Add("POST", "/a", "h", "X", "y")
	f.Add("GET", "/\r\n", "h\r\n", "A\r\nB", "c\r\n\r\n")
	f.Fuzz(func(t *testing.T, method, target, host, name, value string) {
		b, err := appendHead(nil, &Request{Method: method, Target: target, Host: host, Header: http.Header{name: {value}}})
		if err != nil {
			return
		}
		lines := strings.Split(string(b), "\r\n")
		want := 5 // request line, Host, the field, and two empty ends
		if method == "POST" || method == "PUT" || method == "PATCH" {
			want++
		}
		if len(lines) != want || strings.Count(string(b), "\n") != want-1 || strings.Count(lines[0], " ") != 2 {
			t.Fatalf("%q", b)
		}
	})
}
