package guard

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// script is a connection whose client said everything already.
type script struct {
	net.Conn
	r io.Reader
}

func (s script) Read(p []byte) (int, error)      { return s.r.Read(p) }
func (s script) SetReadDeadline(time.Time) error { return nil }

func guarded(raw string) *Conn {
	return New(script{r: strings.NewReader(raw)}, Limits{})
}

var shapes = map[string]string{
	"length and transfer encoding":    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"two equal lengths":               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
	"length list":                     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nabcd",
	"signed length":                   "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd",
	"transfer encoding list":          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
	"transfer encoding twice":         "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"transfer encoding in 1.0":        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"folded line":                     "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n",
	"bare CR in value":                "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n",
	"bare LF":                         "GET / HTTP/1.1\nHost: a\n\n",
	"bare LF in one line":             "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
	"NUL":                             "GET / HTTP/1.1\r\nHost: a\r\nX: b\x00c\r\n\r\n",
	"space before colon":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\nabcd",
	"empty name":                      "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
	"line without colon":              "GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n",
	"underscore imitates length":      "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 4\r\n\r\n",
	"no host":                         "GET / HTTP/1.1\r\nX: a\r\n\r\n",
	"two hosts":                       "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
	"host differs from absolute form": "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
	"user information":                "GET http://a@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
	"host differs from CONNECT":       "CONNECT b:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
	"CONNECT with body":               "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nContent-Length: 3\r\n\r\nabc",
	"HTTP/2 preface":                  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"empty first line":                "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"double space":                    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
	"fragment":                        "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
	"bad escape":                      "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
	"head too large":                  "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 70_000) + "\r\n\r\n",
}

// Whatever stands before the bad request is served, the bad one is answered as
// refused, what follows it is never interpreted.
func TestBadShapeIsReplacedInItsTurnAndNothingAfterItIsRead(t *testing.T) {
	const good = "POST /good HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
	for name, bad := range shapes {
		t.Run(name, func(t *testing.T) {
			for _, oneByte := range []bool{false, true} {
				c := guarded(good + bad + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
				if oneByte {
					c.Conn = script{r: iotest.OneByteReader(strings.NewReader(good + bad + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"))}
				}
				var paths []string
				r := bufio.NewReader(c)
				for {
					req, err := http.ReadRequest(r)
					if err != nil {
						if err != io.EOF {
							t.Fatalf("after %v: %v", paths, err)
						}
						break
					}
					io.Copy(io.Discard, req.Body)
					req = req.WithContext(Context(req.Context(), c))
					if _, refused := Refused(req); refused {
						paths = append(paths, "refused")
					} else {
						paths = append(paths, req.URL.Path)
					}
				}
				if got := fmt.Sprint(paths); got != "[/good refused]" {
					t.Errorf("served %v", got)
				}
			}
		})
	}
}

func TestBrokenChunkedBodyIsAnErrorOfTheBody(t *testing.T) {
	for name, body := range map[string]string{
		"extension":         "3;a=b\r\nabc\r\n0\r\n\r\n",
		"bare LF":           "3\nabc\n0\n\n",
		"sign":              "+3\r\nabc\r\n0\r\n\r\n",
		"prefix":            "0x3\r\nabc\r\n0\r\n\r\n",
		"space":             "3 \r\nabc\r\n0\r\n\r\n",
		"longer than said":  "3\r\nabcd\r\n0\r\n\r\n",
		"overflow":          "fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
		"trailer folded":    "3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n",
		"trailer bare CR":   "3\r\nabc\r\n0\r\nX: y\rz\r\n\r\n",
		"trailer too large": "3\r\nabc\r\n0\r\nX: " + strings.Repeat("y", 70_000) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := guarded("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
			r := bufio.NewReader(c)
			req, err := http.ReadRequest(r)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, req.Body)
			if err == nil {
				t.Error("body ended well")
			}
			if _, broken := Broken(req.WithContext(Context(req.Context(), c))); !broken {
				t.Error("nobody says why")
			}
			if next, err := http.ReadRequest(r); err == nil {
				t.Errorf("read another request: %s", next.URL)
			}
		})
	}
}

func TestLetsRealClientsThrough(t *testing.T) {
	for name, raw := range map[string]string{
		"curl":                  "POST /acme/v3/mail/send HTTP/1.1\r\nHost: 127.0.0.1:8400\r\nUser-Agent: curl/8\r\nAccept: */*\r\nContent-Length: 2\r\n\r\n{}",
		"chunked":               "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
		"absolute form":         "GET http://a:80/x?y=%20 HTTP/1.1\r\nHost: A\r\n\r\n",
		"HTTP/1.0":              "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
		"options":               "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"CONNECT":               "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
		"CONNECT, host alone":   "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
		"CONNECT, python":       "CONNECT a:443 HTTP/1.0\r\n\r\n",
		"IPv6":                  "GET http://[::1]:80/ HTTP/1.1\r\nHost: [::1]\r\n\r\n",
		"obs-text and tab":      "GET / HTTP/1.1\r\nHost: a\r\nX: \xe4\tb\r\n\r\n",
		"empty value, no space": "GET / HTTP/1.1\r\nHost:a\r\nX:\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := guarded(raw)
			got, err := io.ReadAll(c)
			if string(got) != raw || err != nil {
				t.Errorf("got %q, %v (%s)", got, err, c.shape)
			}
		})
	}
}

func TestConnectShowsNothingBeforeItIsATunnel(t *testing.T) {
	c := guarded("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
	b, err := io.ReadAll(c)
	if err != nil || bytes.Contains(b, []byte("smuggled")) {
		t.Fatalf("read %q, %v", b, err)
	}
	c.Tunnel()
	if b, _ := io.ReadAll(c); !bytes.HasPrefix(b, []byte("GET /smuggled")) {
		t.Fatalf("the tunnel lost its first bytes: %q", b)
	}
}

// serve runs a guarded net/http server and counts what its handler saw.
func serve(t *testing.T, l Limits) (addr string, served, refused *atomic.Int64) {
	t.Helper()
	served, refused = new(atomic.Int64), new(atomic.Int64)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ConnContext: Context, IdleTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if shape, bad := Refused(r); bad {
			refused.Add(1)
			http.Error(w, string(shape), http.StatusBadRequest)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		served.Add(1)
	})}
	go s.Serve(guardedListener{ln, l})
	t.Cleanup(func() { s.Close() })
	return ln.Addr().String(), served, refused
}

type guardedListener struct {
	net.Listener
	l Limits
}

func (g guardedListener) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return New(c, g.l), nil
}

func TestPipelinedBadRequestIsAnsweredOnceAfterTheGoodOnes(t *testing.T) {
	addr, served, refused := serve(t, Limits{})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"+shapes["two equal lengths"]+"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(all), "HTTP/1.1 200"); n != 2 {
		t.Errorf("%d answers 200 in %q", n, all)
	}
	if n := strings.Count(string(all), "HTTP/1.1 400"); n != 1 {
		t.Errorf("%d answers 400", n)
	}
	if served.Load() != 2 || refused.Load() != 1 {
		t.Errorf("served %d, refused %d", served.Load(), refused.Load())
	}
}

func TestSlowHeadIsCutOffEvenOnAKeptConnection(t *testing.T) {
	addr, served, _ := serve(t, Limits{HeadTimeout: 150 * time.Millisecond})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	start := time.Now()
	go func() {
		for _, b := range []byte("GET /2 HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy") {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	io.ReadAll(r)
	if took := time.Since(start); took > time.Second {
		t.Errorf("the connection lived for %s", took)
	}
	if served.Load() != 1 {
		t.Errorf("served %d requests", served.Load())
	}
}

// FuzzSameBoundaries compares the guard with net/http: whatever it lets through,
// net/http must read as requests with the very boundaries that the guard saw.
func FuzzSameBoundaries(f *testing.F) {
	for _, s := range shapes {
		f.Add([]byte(s))
		f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + s))
	}
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := New(script{r: bytes.NewReader(raw)}, Limits{})
		// The guard's own boundaries: where a head begins in what it hands on.
		var out []byte
		var heads []int
		wasHead := true
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if n > 0 && wasHead {
				heads = append(heads, len(out))
			}
			wasHead = c.ready == 0 && (c.phase == inHead || c.phase == afterShape)
			out = append(out, buf[:n]...)
			if err != nil {
				break
			}
		}
		inside := c.phase == inBody || c.phase == inChunkSize || c.phase == inChunkEnd || c.phase == inTrailer
		if c.midBody || inside || (c.phase == inHead && len(c.buf) > 0) {
			return // ends in the middle: net/http sees an error there, as tested above
		}
		counted := &counting{r: bytes.NewReader(out)}
		r := bufio.NewReader(counted)
		for i, at := range heads {
			if got := counted.n - r.Buffered(); got != at {
				t.Fatalf("request %d begins at %d for net/http, at %d for the guard: %q", i, got, at, out)
			}
			req, err := http.ReadRequest(r)
			if err != nil {
				t.Fatalf("net/http refuses request %d of %q: %v", i, out, err)
			}
			if _, err := io.Copy(io.Discard, req.Body); err != nil && err != io.ErrUnexpectedEOF {
				t.Fatalf("net/http cannot read body %d of %q: %v", i, out, err)
			}
		}
		if rest, _ := io.ReadAll(r); len(rest) > 0 {
			t.Fatalf("net/http leaves %q of %q", rest, out)
		}
	})
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
