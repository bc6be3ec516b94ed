package gateway_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Whatever ends an exchange, nobody stays behind.
func TestNoGoroutineOutlivesItsExchange(t *testing.T) {
	b := start(t, setup{limit: 50_000, manifest: "unclassified: pass\n", timeout: time.Second, handler: func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/drop":
			panic(http.ErrAbortHandler)
		case "/stream":
			for r.Context().Err() == nil {
				io.WriteString(w, "data: x\n\n")
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
		}
	}})
	round := func() {
		c := client(t)
		for _, path := range []string{"/send", "/drop", "/stream"} {
			for _, body := range []string{ada, `{"x":"` + strings.Repeat("y", 200_000) + `"}`} {
				resp, err := c.Post(b.route+"/acme"+path, "application/json", strings.NewReader(body))
				check(t, err)
				if path == "/stream" {
					resp.Body.Read(make([]byte, 1)) // and leave
				} else {
					io.Copy(io.Discard, resp.Body)
				}
				resp.Body.Close()
			}
		}
		c.CloseIdleConnections()
		rawOnceQuick(b.route, "POST /acme/send HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhalf")
	}
	round()
	b.vendor.closeIdle()
	settle := func() int {
		n := runtime.NumGoroutine()
		for range 100 {
			time.Sleep(20 * time.Millisecond)
			m := runtime.NumGoroutine()
			if m >= n {
				n = m
				continue
			}
			n = m
		}
		return n
	}
	before := settle()
	for range 5 {
		round()
	}
	b.vendor.closeIdle()
	if after := settle(); after > before+3 {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after\n%s", before, after, buf[:runtime.Stack(buf, true)])
	}
	if n := len(b.gates.Gate("acme").Status().Live); n != 0 {
		t.Errorf("%d messages are still in the register", n)
	}
}
