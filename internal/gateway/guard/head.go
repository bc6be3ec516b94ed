package guard

import (
	"bytes"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// framing is what a head says about the bytes after it.
type framing struct {
	connect bool
	chunked bool
	length  int64
}

// headLength finds the end of a head: its length with the empty line, or, while
// that is missing, the length of the whole lines so far (the next call's from,
// so that a head that trickles in is looked at once). Anything
// that some parser may take for a line end and another may not is refused here:
// CR and LF stand only together.
func headLength(b []byte, from, limit int) (n int, complete bool, shape Shape) {
	start := from
	for {
		i := bytes.IndexByte(b[start:], '\n')
		if i < 0 {
			break
		}
		end := start + i
		if end == 0 || b[end-1] != '\r' {
			return 0, false, "bare line feed"
		}
		line := b[start : end-1]
		if bytes.IndexByte(line, '\r') >= 0 {
			return 0, false, "bare carriage return"
		}
		if len(line) == 0 {
			if start == 0 {
				return 0, false, "empty line before the request line"
			}
			if end+1 > limit {
				return 0, false, tooLarge
			}
			return end + 1, true, ""
		}
		start = end + 1
		if start > limit {
			return 0, false, tooLarge
		}
	}
	rest := b[start:]
	if i := bytes.IndexByte(rest, '\r'); i >= 0 && i != len(rest)-1 {
		return 0, false, "bare carriage return"
	}
	if len(b) > limit {
		return 0, false, tooLarge
	}
	return start, false, ""
}

const tooLarge Shape = "request head too large"

// TooLarge reports whether the shape is only one of size (431, not 400).
func (s Shape) TooLarge() bool { return s == tooLarge }

// parseHead judges a whole head. RFC 9112, sections 3 to 6, in the strictest
// reading that real clients satisfy.
func parseHead(b []byte) (framing, Shape) {
	var f framing
	line, b := next(b)
	method, target, minor, shape := requestLine(line)
	if shape != "" {
		return f, shape
	}
	f.connect = method == "CONNECT"
	var host string
	var hosts, lengths, codings int
	for {
		line, b = next(b)
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			return f, "folded header line"
		}
		colon, shape := parseField(line)
		if shape != "" {
			return f, shape
		}
		name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
		switch {
		case is(name, "content-length"):
			lengths++
			if f.length, shape = contentLength(string(value)); shape != "" {
				return f, shape
			}
		case is(name, "transfer-encoding"):
			codings++
			if !is(value, "chunked") {
				return f, "transfer encoding that is not exactly chunked"
			}
			f.chunked = true
		case is(name, "host"):
			hosts++
			host = string(value)
		}
	}
	switch {
	case lengths > 0 && codings > 0:
		return f, "both content length and transfer encoding"
	case lengths > 1:
		return f, "more than one content length"
	case codings > 1:
		return f, "more than one transfer encoding"
	case f.chunked && minor == 0:
		return f, "transfer encoding in HTTP/1.0"
	case hosts > 1:
		return f, "more than one host"
	case f.connect && (f.chunked || f.length > 0):
		return f, "body on CONNECT"
	}
	return f, checkHost(method, target, host, hosts == 1)
}

// next cuts a line off a head that headLength looked at.
func next(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	return b[:i-1], b[i+1:]
}

func requestLine(line []byte) (method, target string, minor int, shape Shape) {
	parts := strings.Split(string(line), " ")
	if len(parts) != 3 {
		return "", "", 0, "request line without exactly three parts"
	}
	method, target = parts[0], parts[1]
	for i := range len(method) {
		if !isToken[method[i]] {
			return "", "", 0, "method that is not a token"
		}
	}
	if method == "" || target == "" {
		return "", "", 0, "request line without method or target"
	}
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return "", "", 0, "target with forbidden bytes"
		}
	}
	switch parts[2] {
	case "HTTP/1.1":
		return method, target, 1, ""
	case "HTTP/1.0":
		return method, target, 0, ""
	default:
		return "", "", 0, "protocol version other than HTTP/1.1 and HTTP/1.0"
	}
}

// parseField checks one header line and gives the place of its colon.
func parseField(line []byte) (colon int, shape Shape) {
	colon = bytes.IndexByte(line, ':')
	if colon <= 0 {
		return 0, "header line without a name"
	}
	for _, c := range line[:colon] {
		if !isToken[c] {
			return 0, "header name that is not a token" // also: space before the colon
		}
	}
	if bytes.IndexByte(line[:colon], '_') >= 0 {
		// CGI and its heirs read both spellings as one.
		for _, framing := range []string{"content-length", "transfer-encoding", "host", "connection", "cordon-app", "proxy-authorization"} {
			if is(bytes.ReplaceAll(line[:colon], []byte("_"), []byte("-")), framing) {
				return 0, "header name that imitates " + Shape(framing)
			}
		}
	}
	for _, c := range line[colon+1:] {
		if (c < ' ' && c != '\t') || c == 0x7f {
			return 0, "control byte in a header value"
		}
	}
	return colon, ""
}

func contentLength(v string) (int64, Shape) {
	if v == "" || len(v) > 18 {
		return 0, "content length that is not a number"
	}
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return 0, "content length that is not a number"
		}
	}
	n, _ := strconv.ParseInt(v, 10, 64)
	return n, ""
}

// checkHost demands one Host, and the target's own where it has one. Only
// CONNECT may come without: Python's http.client sends it so.
func checkHost(method, target, host string, given bool) Shape {
	if method == "CONNECT" {
		if h, port, err := net.SplitHostPort(target); err != nil || h == "" || !isPort(port) {
			return "CONNECT target that is not host:port"
		} else if given && !sameHost(host, target, port) {
			return "host other than the target's"
		}
		return ""
	}
	if !given {
		return "no host"
	}
	if !validHost(host) {
		return "host with forbidden bytes"
	}
	if target == "*" {
		if method != "OPTIONS" {
			return "target * on another method than OPTIONS"
		}
		return ""
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return "target that is not a URI"
	}
	if target[0] == '/' {
		return ""
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Opaque != "" {
		return "target that is neither a path nor an http URI"
	}
	if u.User != nil {
		return "target with user information"
	}
	if !validHost(u.Host) {
		return "host with forbidden bytes"
	}
	if !sameHost(host, u.Host, map[string]string{"http": "80", "https": "443"}[u.Scheme]) {
		return "host other than the target's"
	}
	return ""
}

// sameHost compares two authorities; a missing port is the given one.
func sameHost(a, b, port string) bool {
	full := func(h string) string {
		if host, p, err := net.SplitHostPort(h); err == nil {
			return host + ":" + p
		}
		return strings.Trim(h, "[]") + ":" + port
	}
	return strings.EqualFold(full(a), full(b))
}

func validHost(h string) bool {
	if h == "" || len(h) > 300 {
		return false
	}
	for i := range len(h) {
		c := h[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._:[]", c) >= 0) {
			return false
		}
	}
	return true
}

func isPort(p string) bool {
	n, err := strconv.ParseUint(p, 10, 16)
	return err == nil && n > 0
}

// is compares a header name with a lower-case one.
func is(name []byte, lower string) bool {
	return len(name) == len(lower) && strings.EqualFold(string(name), lower)
}

// isToken is tchar of RFC 9110, section 5.6.2.
var isToken = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c < 0x80 && strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0
	}
	return t
}()
