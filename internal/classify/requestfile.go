package classify

import (
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
)

// ParseHTTP reads a raw HTTP/1.1 request, as a file for `cordon route test`
// holds it, and returns the message and the host that it is for. The target may
// be in absolute form. Lines may end in LF alone, since people write such files
// by hand; everything else that two servers may read differently (RFC 9112
// section 11.2) is an error, as the gateway would refuse it.
//
// A body without Content-Length or chunked coding goes to the end of the file.
func ParseHTTP(raw []byte) (*Message, string, error) {
	rest := string(raw)
	line, rest, _ := cutLine(rest)
	method, target, version, err := requestLine(line)
	if err != nil {
		return nil, "", err
	}
	if version != "HTTP/1.1" && version != "HTTP/1.0" {
		return nil, "", fmt.Errorf("reading the request line: %q is not HTTP/1.1", version)
	}
	header, rest, err := headerLines(rest)
	if err != nil {
		return nil, "", err
	}
	m := &Message{Method: method, Header: header}
	host, err := m.target(target)
	if err != nil {
		return nil, "", err
	}
	switch named := header["Host"]; {
	case len(named) > 1:
		return nil, "", errors.New("reading the headers: there are two Host headers")
	case len(named) == 1 && host == "":
		host = named[0]
	case len(named) == 1 && !strings.EqualFold(named[0], host):
		return nil, "", fmt.Errorf("reading the headers: Host is %q, the request line says %q", named[0], host)
	}
	delete(header, "Host")
	body, err := framed(header, rest)
	if err != nil {
		return nil, "", err
	}
	m.Body = []byte(body)
	return m, strings.ToLower(host), nil
}

// cutLine cuts the first line off, without its line end.
func cutLine(s string) (line, rest string, whole bool) {
	line, rest, whole = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest, whole
}

func requestLine(line string) (method, target, version string, err error) {
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !token(parts[0]) || parts[1] == "" || hasControl(line) {
		return "", "", "", errors.New(`reading the request line: it is not "METHOD /path HTTP/1.1"`)
	}
	return parts[0], parts[1], parts[2], nil
}

// target fills path and query and returns the host of an absolute form.
func (m *Message) target(target string) (host string, err error) {
	if scheme, after, ok := strings.Cut(target, "://"); ok {
		if scheme != "http" && scheme != "https" {
			return "", fmt.Errorf("reading the request line: scheme %q is neither http nor https", scheme)
		}
		slash := strings.IndexAny(after, "/?")
		if slash < 0 {
			slash = len(after)
		}
		host, target = after[:slash], after[slash:]
		if host == "" || strings.Contains(host, "@") {
			return "", errors.New("reading the request line: the target has no plain host")
		}
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
	}
	if !strings.HasPrefix(target, "/") || strings.Contains(target, "#") {
		return "", errors.New("reading the request line: the target is neither /path nor http://host/path")
	}
	m.Path, m.Query, _ = strings.Cut(target, "?")
	return host, nil
}

func headerLines(s string) (map[string][]string, string, error) {
	header := map[string][]string{}
	for n := 1; ; n++ {
		line, rest, _ := cutLine(s)
		if line == "" { // the blank line, or the end of a file without a body
			return header, rest, nil
		}
		name, value, ok := strings.Cut(line, ":")
		switch {
		case line[0] == ' ' || line[0] == '\t':
			return nil, "", fmt.Errorf("reading header %d: it is folded, which RFC 9112 section 5.2 forbids", n)
		case !ok || !token(name):
			return nil, "", fmt.Errorf("reading header %d: it is not \"Name: value\"", n)
		case hasControl(strings.ReplaceAll(value, "\t", "")):
			return nil, "", fmt.Errorf("reading header %s: its value has control characters", name)
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		header[name] = append(header[name], strings.Trim(value, " \t"))
		s = rest
	}
}

// framed cuts the body as the headers say.
func framed(header map[string][]string, rest string) (string, error) {
	length, coding := header["Content-Length"], header["Transfer-Encoding"]
	switch {
	case len(coding) > 0 && len(length) > 0:
		return "", errors.New("reading the body: there are Content-Length and Transfer-Encoding")
	case len(coding) > 1 || len(coding) == 1 && !strings.EqualFold(coding[0], "chunked"):
		return "", errors.New("reading the body: its transfer coding is not chunked")
	case len(coding) == 1:
		delete(header, "Transfer-Encoding")
		return dechunk(rest)
	case len(length) > 1:
		return "", errors.New("reading the body: there are two Content-Lengths")
	case len(length) == 1:
		n, err := strconv.ParseUint(length[0], 10, 31)
		if err != nil || length[0][0] == '+' {
			return "", fmt.Errorf("reading the body: Content-Length %q is not a number", length[0])
		}
		if int(n) > len(rest) {
			return "", fmt.Errorf("reading the body: it has %d bytes, Content-Length says %d", len(rest), n)
		}
		if strings.Trim(rest[n:], "\r\n") != "" {
			return "", fmt.Errorf("reading the body: it has %d bytes, Content-Length says %d", len(rest), n)
		}
		return rest[:n], nil
	default:
		return rest, nil
	}
}

// dechunk joins the chunks of a body (RFC 9112 section 7.1). Trailers are not
// read.
func dechunk(s string) (string, error) {
	var b strings.Builder
	for {
		line, rest, whole := cutLine(s)
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil || !whole {
			return "", errors.New("reading the body: a chunk has no size")
		}
		if n == 0 {
			return b.String(), nil
		}
		if int(n) > len(rest) {
			return "", errors.New("reading the body: the last chunk is cut off")
		}
		b.WriteString(rest[:n])
		line, s, whole = cutLine(rest[n:])
		if line != "" || !whole {
			return "", errors.New("reading the body: a chunk is longer than it says")
		}
	}
}

// token reports whether s is a token by RFC 9110 section 5.6.2.
func token(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f {
			return true
		}
	}
	return false
}
