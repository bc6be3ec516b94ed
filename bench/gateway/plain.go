package main

import (
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// serveUpstream is the vendor: it reads the body and answers 200 bytes.
func serveUpstream(addr string) error {
	answer := []byte(strings.Repeat("a", 200))
	return http.ListenAndServe(addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/plain")
		w.Write(answer)
	}))
}

// servePlain is the yardstick: httputil.ReverseProxy as a good engineer would deploy it, with enough idle
// connections and pooled copy buffers. It reads nothing and records nothing.
func servePlain(addr, upstream string) error {
	target, err := url.Parse("http://" + upstream)
	if err != nil {
		return err
	}
	rp := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{
			MaxIdleConnsPerHost: 512, MaxIdleConns: 512,
			IdleConnTimeout: time.Minute, DisableCompression: true,
		},
		BufferPool: &buffers{},
	}
	return http.ListenAndServe(addr, rp)
}

// buffers lends ReverseProxy its copy buffers; the slice's header is kept beside it so that lending allocates nothing.
type buffers struct{ free sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.free.Get().(*[32 << 10]byte); ok {
		return p[:]
	}
	return new([32 << 10]byte)[:]
}

func (b *buffers) Put(p []byte) { b.free.Put((*[32 << 10]byte)(p)) }
