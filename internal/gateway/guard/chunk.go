package guard

import "bytes"

// cutLine takes one line that ends in CRLF off b; ok is false while it is not
// complete. A line longer than limit is refused before it is complete.
func cutLine(b []byte, limit int) (line, rest []byte, ok bool, shape Shape) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		if len(b) > limit {
			return nil, nil, false, "line too long in a chunked body"
		}
		if cr := bytes.IndexByte(b, '\r'); cr >= 0 && cr != len(b)-1 {
			return nil, nil, false, "bare carriage return in a chunked body"
		}
		return nil, nil, false, ""
	}
	if i > limit {
		return nil, nil, false, "line too long in a chunked body"
	}
	if i == 0 || b[i-1] != '\r' {
		return nil, nil, false, "bare line feed in a chunked body"
	}
	if bytes.IndexByte(b[:i-1], '\r') >= 0 {
		return nil, nil, false, "bare carriage return in a chunked body"
	}
	return b[:i-1], b[i+1:], true, ""
}

// chunkSize reads a size line: hexadecimal digits and nothing else. Extensions
// may be ignored by whoever reads them (RFC 9112, section 7.1.1), and parsers
// that ignored them differently have been smuggled past; nobody sends them.
func chunkSize(line []byte) (int64, Shape) {
	if len(line) == 0 || len(line) > 15 {
		return 0, "chunk size that is not a short hexadecimal number"
	}
	var n int64
	for _, c := range line {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | int64(c-'a'+10)
		case c >= 'A' && c <= 'F':
			n = n<<4 | int64(c-'A'+10)
		default:
			return 0, "chunk size that is not a short hexadecimal number"
		}
	}
	return n, ""
}
