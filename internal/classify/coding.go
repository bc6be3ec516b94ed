package classify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"cordon/internal/exposure"
)

// decompress fills f.body and reports whether it can be read as text.
func (f *Findings) decompress(w *walk, body []byte) bool {
	limit := min(maxDecoded, maxRatio*len(body))
	want, known := codings(f.message.Header["Content-Encoding"])
	if !known || want > maxCodings {
		w.flag(exposure.IncompleteCoding)
		f.body, f.partial = string(body), true
		return false
	}
	if want == 0 {
		if !isGzip(body) {
			f.body = string(body)
			return true
		}
		// Compressed without saying so: a vendor that looks at the first bytes
		// reads it, so do we.
		w.flag(exposure.IncompleteContentTypeLies)
		want = 1
	}
	for f.codings < want {
		if !isGzip(body) {
			w.flag(exposure.IncompleteContentTypeLies)
			break
		}
		plain, err := gunzip(body, limit)
		f.codings++
		f.body = plain
		if err != nil {
			f.partial = true
			if errors.Is(err, errRatio) {
				w.flag(exposure.IncompleteRatio)
			} else {
				w.flag(exposure.IncompleteSyntax)
			}
			return f.codings == want
		}
		if f.codings < want {
			body = []byte(plain)
		}
	}
	if f.codings == 0 {
		f.body = string(body)
	}
	return true
}

// codings counts the gzip layers that Content-Encoding names (RFC 9110 section
// 8.4) and reports whether there is no other coding among them.
func codings(values []string) (n int, known bool) {
	for _, v := range values {
		for name := range strings.SplitSeq(v, ",") {
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "", "identity":
			case "gzip", "x-gzip":
				n++
			default:
				return 0, false
			}
		}
	}
	return n, true
}

func isGzip(b []byte) bool { return len(b) > 2 && b[0] == 0x1f && b[1] == 0x8b && b[2] == 8 }

var errRatio = errors.New("it grows beyond the limit")

// unzipper is what decompressing needs besides the result.
type unzipper struct {
	z     gzip.Reader
	src   bytes.Reader
	chunk [32 << 10]byte
}

var unzippers = sync.Pool{New: func() any { return new(unzipper) }}

// gunzip decompresses all members of body. With an error it returns what came
// before.
func gunzip(body []byte, limit int) (string, error) {
	u := unzippers.Get().(*unzipper)
	defer unzippers.Put(u)
	defer u.src.Reset(nil)
	u.src.Reset(body)
	if err := u.z.Reset(&u.src); err != nil {
		return "", fmt.Errorf("decompressing a body: %w", err)
	}
	var b strings.Builder
	for {
		n, err := u.z.Read(u.chunk[:])
		if b.Len()+n > limit {
			b.Write(u.chunk[:limit-b.Len()])
			return b.String(), errRatio
		}
		b.Write(u.chunk[:n])
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), fmt.Errorf("decompressing a body: %w", err)
		}
	}
}

// zip compresses a body as often as it was before.
func zip(body []byte, times int) ([]byte, error) {
	for range times {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(body); err != nil {
			return nil, fmt.Errorf("compressing a body again: %w", err)
		}
		if err := z.Close(); err != nil {
			return nil, fmt.Errorf("compressing a body again: %w", err)
		}
		body = b.Bytes()
	}
	return body, nil
}
