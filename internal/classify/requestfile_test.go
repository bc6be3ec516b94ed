package classify

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRequestFiles(t *testing.T) {
	const rest = "Content-Type: application/json\r\nX-A: 1\r\nX-A: 2\r\n\r\n{}"
	for raw, want := range map[string]string{
		"POST /v3/mail/send?x=1 HTTP/1.1\r\nHost: API.example\r\n" + rest:                   "api.example POST /v3/mail/send x=1 {}",
		"POST https://api.example/v3/mail/send HTTP/1.1\r\n" + rest:                         "api.example POST /v3/mail/send  {}",
		"POST http://api.example?x HTTP/1.1\r\nHost: api.example\r\n" + rest:                "api.example POST / x {}",
		"GET /x HTTP/1.1\nHost: api.example":                                                "api.example GET /x  ",
		"POST /x HTTP/1.1\nHost: a\nContent-Length: 2\n\n{}\n":                              "a POST /x  {}",
		"POST /x HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n2;x\n{}\n1\n!\n0\n\n":     "a POST /x  {}!",
		"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n": "a POST /x  {}",
	} {
		m, host, err := ParseHTTP([]byte(raw))
		if err != nil {
			t.Errorf("%q: %v", raw, err)
			continue
		}
		if got := strings.Join([]string{host, m.Method, m.Path, m.Query, string(m.Body)}, " "); got != want {
			t.Errorf("%q gave %q, want %q", raw, got, want)
		}
		if m.Header["Host"] != nil || len(m.Header["X-A"]) == 1 {
			t.Errorf("%q: headers %v", raw, m.Header)
		}
	}
}

func TestRequestFilesThatServersReadDifferently(t *testing.T) {
	for name, raw := range map[string]string{
		"length and chunked":     "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
		"two lengths":            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
		"a signed length":        "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nx",
		"a body too short":       "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nx",
		"a body too long":        "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nxyz",
		"a folded header":        "POST / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
		"a space before a colon": "POST / HTTP/1.1\r\nHost : a\r\n\r\n",
		"a bare CR":              "POST / HTTP/1.1\r\nA: b\rc\r\n\r\n",
		"two hosts":              "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"another host":           "POST http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
		"a user in the target":   "POST http://u@a/ HTTP/1.1\r\n\r\n",
		"a relative target":      "POST x HTTP/1.1\r\n\r\n",
		"HTTP/2":                 "PRI * HTTP/2.0\r\n\r\n",
		"nothing":                "",
		"a chunk too long":       "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx\r\n0\r\n\r\n",
		"chunked twice":          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
	} {
		if m, host, err := ParseHTTP([]byte(raw)); err == nil {
			t.Errorf("%s was read as %q %+v", name, host, m)
		}
	}
}

// FuzzParseHTTP compares with net/http: what both read is the same request.
func FuzzParseHTTP(f *testing.F) {
	f.Add([]byte("POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("POST http://x/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, host, err := ParseHTTP(raw)
		if err != nil {
			return
		}
		framed := m.Header["Content-Length"] != nil || bytes.Contains(bytes.ToLower(raw), []byte("transfer-encoding"))
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil || !framed {
			return // net/http is stricter about hosts, and reads no body without a length
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Method != m.Method || !strings.EqualFold(r.Host, host) || r.URL.RawQuery != m.Query || !bytes.Equal(body, m.Body) {
			t.Fatalf("%q: we read %s %q %q %q, net/http %s %q %q %q", raw, m.Method, host, m.Query, m.Body, r.Method, r.Host, r.URL.RawQuery, body)
		}
	})
}
