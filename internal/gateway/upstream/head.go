package upstream

import (
	"errors"
	"strconv"
)

var errUnsafe = errors.New("a line break or a control byte in the message's head")

// appendHead writes request line, header and framing. What it writes has one
// reading: anything that could end a line early is an error, wherever it came
// from (HTTP/2 has no line ends, and neither has a credential's file).
func appendHead(b []byte, r *Request) ([]byte, error) {
	start := len(b)
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, r.Target...)
	for _, c := range b[start+len(r.Method)+1:] {
		if c <= ' ' || c == 0x7f {
			return nil, errUnsafe
		}
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, r.Host...)
	b = append(b, '\r', '\n')
	if !token(r.Method) || !clean(r.Host) {
		return nil, errUnsafe
	}
	for name, values := range r.Header {
		if !token(name) {
			return nil, errUnsafe
		}
		for _, v := range values {
			if !clean(v) {
				return nil, errUnsafe
			}
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, v...)
			b = append(b, '\r', '\n')
		}
	}
	switch {
	case r.Rest != nil && r.RestLength < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case r.Rest != nil:
		b = appendLength(b, int64(len(r.Body))+r.RestLength)
	case len(r.Body) > 0 || r.Method == "POST" || r.Method == "PUT" || r.Method == "PATCH":
		b = appendLength(b, int64(len(r.Body)))
	}
	return append(b, '\r', '\n'), nil
}

// appendBody frames what is there of the body.
func appendBody(b []byte, r *Request) []byte {
	if r.Rest != nil && r.RestLength < 0 {
		return appendChunk(b, r.Body)
	}
	return append(b, r.Body...)
}

// appendChunk frames a chunk. An empty one would end the body.
func appendChunk(b, data []byte) []byte {
	if len(data) == 0 {
		return b
	}
	b = append(strconv.AppendInt(b, int64(len(data)), 16), '\r', '\n')
	return append(append(b, data...), '\r', '\n')
}

func appendLength(b []byte, n int64) []byte {
	return append(strconv.AppendInt(append(b, "Content-Length: "...), n, 10), '\r', '\n')
}

func clean(v string) bool {
	for i := range len(v) {
		if c := v[i]; (c < ' ' && c != '\t') || c == 0x7f {
			return false
		}
	}
	return true
}

func token(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return s != ""
}
