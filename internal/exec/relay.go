package exec

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// relays stand between the command and the proxy where variables cannot say
// what is wanted. Both listen on loopback and end with the command.
type relays struct {
	limit *relay // refuses every host but those of one vendor
	java  *relay // the same, and adds the app's token, which Java cannot send
}

func (r relays) close() {
	for _, one := range []*relay{r.limit, r.java} {
		if one != nil {
			one.close()
		}
	}
}

func (p Plan) startRelays() (r relays, err error) {
	if p.Only != nil {
		if r.limit, err = startRelay(&relay{proxy: p.address(), only: p.Only}); err != nil {
			return r, err
		}
	}
	// Who may use the token is decided by the user that owns the connecting
	// socket; where the system does not tell, Java goes without.
	if p.Token != "" && canTellOwner {
		credential := "Basic " + base64.StdEncoding.EncodeToString([]byte(p.App+":"+p.Token))
		if r.java, err = startRelay(&relay{proxy: p.address(), only: p.Only, credential: credential}); err != nil {
			r.close()
			return r, err
		}
	}
	return r, nil
}

// relay is a small forward proxy in front of the proxy.
type relay struct {
	proxy      string   // where it passes on to
	only       []string // nil: every host
	credential string   // Proxy-Authorization to set; empty: the client's own passes

	listener net.Listener
	plain    *httputil.ReverseProxy

	mu    sync.Mutex
	conns map[net.Conn]bool // tunnels, which http.Server no longer knows
}

func startRelay(r *relay) (*relay, error) {
	r.conns = map[net.Conn]bool{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the command on loopback: %w", err)
	}
	r.listener = l
	next := &url.URL{Scheme: "http", Host: r.proxy}
	r.plain = &httputil.ReverseProxy{
		// The target stays as the client wrote it. The credential is a field of
		// this hop (RFC 9110 section 11.7.1), so ReverseProxy has dropped it.
		Rewrite: func(pr *httputil.ProxyRequest) {
			if a := pr.In.Header.Get("Proxy-Authorization"); a != "" {
				pr.Out.Header.Set("Proxy-Authorization", a)
			}
		},
		Transport:     &http.Transport{Proxy: http.ProxyURL(next), DisableCompression: true},
		FlushInterval: -1,
	}
	if r.credential != "" {
		r.listener = ownListener{l}
	}
	go func() { _ = (&http.Server{Handler: r, ReadHeaderTimeout: 30 * time.Second}).Serve(r.listener) }()
	return r, nil
}

func (r *relay) address() string { return r.listener.Addr().String() }

func (r *relay) close() {
	r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.Close()
	}
}

func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if host := req.URL.Hostname(); r.only != nil && !matches(r.only, host) {
		http.Error(w, fmt.Sprintf("cordon exec --vendor: this command may not reach %s\nrun it without --vendor, or add the host to the vendor's manifest", host), http.StatusForbidden)
		return
	}
	if r.credential != "" {
		req.Header.Set("Proxy-Authorization", r.credential)
	}
	if req.Method == http.MethodConnect {
		r.tunnel(w, req)
		return
	}
	r.plain.ServeHTTP(w, req)
}

// tunnel passes a CONNECT on and then only copies.
func (r *relay) tunnel(w http.ResponseWriter, req *http.Request) {
	up, err := net.DialTimeout("tcp", r.proxy, 10*time.Second)
	if err != nil {
		http.Error(w, "cordon exec: the proxy does not answer\nstart Cordon: cordon serve", http.StatusBadGateway)
		return
	}
	defer up.Close()
	head := fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n", req.Host, req.Host)
	if a := req.Header.Get("Proxy-Authorization"); a != "" {
		head += "Proxy-Authorization: " + a + "\r\n"
	}
	if _, err := io.WriteString(up, head+"\r\n"); err != nil {
		http.Error(w, "cordon exec: the proxy closed the connection", http.StatusBadGateway)
		return
	}
	down, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer down.Close()
	r.track(down, up)
	defer r.untrack(down, up)
	// The proxy's own answer, a refusal with its reason included, goes back
	// byte for byte.
	go func() {
		_, _ = io.Copy(up, io.MultiReader(io.LimitReader(buffered, int64(buffered.Reader.Buffered())), down))
		closeWrite(up)
	}()
	_, _ = io.Copy(down, up)
}

func (r *relay) track(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.conns[c] = true
	}
}

func (r *relay) untrack(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.conns, c)
	}
}

func closeWrite(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
}
