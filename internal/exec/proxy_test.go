package exec

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// proxy is a forward proxy with its own CA that answers for every vendor and
// remembers what arrived. Nothing is dialled: it is the only server.
type proxy struct {
	t      *testing.T
	server *http.Server
	addr   string
	caPEM  []byte
	ca     *x509.Certificate
	key    *ecdsa.PrivateKey
	accept func(host string) bool // nil: every host
	// problem refuses every tunnel with this body, sent after the head.
	problem string

	mu   sync.Mutex
	seen []call
}

// call is one request, or one refused CONNECT (method CONNECT).
type call struct{ Method, Host, Path, Body, Authorization string }

func startProxy(t *testing.T) *proxy {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, addr: l.Addr().String(), ca: ca, key: key,
		caPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	p.server = &http.Server{Handler: p}
	go func() { _ = p.server.Serve(l) }()
	t.Cleanup(func() { p.server.Close() })
	return p
}

func (p *proxy) plan() Plan {
	return Plan{Proxy: p.addr, CA: p.caPEM, Environ: os.Environ()}
}

func (p *proxy) calls() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]call(nil), p.seen...)
}

func (p *proxy) note(c call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, c)
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, auth := r.URL.Hostname(), r.Header.Get("Proxy-Authorization")
	if p.accept != nil && !p.accept(host) {
		p.note(call{Method: r.Method, Host: host, Authorization: auth})
		http.Error(w, "host is no vendor's", http.StatusForbidden)
		return
	}
	if p.problem != "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(p.problem)))
		w.WriteHeader(http.StatusServiceUnavailable)
		w.(http.Flusher).Flush()
		time.Sleep(50 * time.Millisecond)
		_, _ = io.WriteString(w, p.problem)
		return
	}
	if r.Method != http.MethodConnect {
		p.answer(w, r, host, auth)
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		p.t.Error(err)
		return
	}
	_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	buffered := bufio.NewReader(conn)
	first, err := buffered.Peek(1)
	if err != nil {
		conn.Close()
		return
	}
	var inner net.Conn = peeked{conn, buffered}
	if first[0] == 0x16 {
		inner = tls.Server(inner, &tls.Config{NextProtos: []string{"h2", "http/1.1"}, GetCertificate: p.leaf(host)})
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, host, auth) })}
	if t, ok := inner.(*tls.Conn); ok {
		if err := t.Handshake(); err != nil {
			p.note(call{Method: "TLS", Host: host, Body: err.Error()})
			return
		}
	}
	_ = s.Serve(&oneConn{conn: inner})
}

// answer is what every vendor says: enough for clients to be content.
func (p *proxy) answer(w http.ResponseWriter, r *http.Request, host, auth string) {
	body, _ := io.ReadAll(r.Body)
	p.note(call{r.Method, host, r.URL.RequestURI(), string(body), auth})
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/mail/send") {
		w.Header().Set("X-Message-Id", "m1")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	_, _ = io.WriteString(w, `{"id":"cus_1","object":"customer","success":true,"ok":true}`)
}

func (p *proxy) leaf(host string) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		der, err := x509.CreateCertificate(rand.Reader, template, p.ca, &key.PublicKey, p.key)
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
	}
}

type peeked struct {
	net.Conn
	r *bufio.Reader
}

func (c peeked) Read(b []byte) (int, error) { return c.r.Read(b) }

// oneConn is a listener with one connection.
type oneConn struct {
	conn net.Conn
	once sync.Once
}

func (l *oneConn) Accept() (c net.Conn, err error) {
	err = io.EOF
	l.once.Do(func() { c, err = l.conn, nil })
	return c, err
}
func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }
