package classify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

var (
	errRatio         = errors.New("it grows beyond the limit")
	errNotCompressed = errors.New("it is not compressed in this coding")
)

// unzipper is what decompressing one coding needs besides the result.
type unzipper struct {
	src   bytes.Reader
	plain io.Reader
	reset func() error // makes plain read src anew
	chunk [32 << 10]byte
}

// unzippers are used again: some keep windows of megabytes.
var unzippers = map[coding]*sync.Pool{
	gzipped: pool(func(u *unzipper) {
		z := new(gzip.Reader)
		u.plain, u.reset = z, func() error { return z.Reset(&u.src) }
	}),
	zlibbed: pool(func(u *unzipper) {
		u.reset = func() (err error) {
			if z, ok := u.plain.(zlib.Resetter); ok {
				return z.Reset(&u.src, nil)
			}
			u.plain, err = zlib.NewReader(&u.src)
			return err
		}
	}),
	deflated: pool(func(u *unzipper) {
		z := flate.NewReader(&u.src)
		u.plain, u.reset = z, func() error { return z.(flate.Resetter).Reset(&u.src, nil) }
	}),
	brotlied: pool(func(u *unzipper) {
		z := brotli.NewReader(&u.src)
		u.plain, u.reset = z, func() error { return z.Reset(&u.src) }
	}),
	zstandard: pool(func(u *unzipper) {
		// One at a time, so that no goroutine reads ahead.
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDecoded), zstd.WithDecoderLowmem(true))
		u.plain, u.reset = z, func() error {
			if err != nil {
				return err
			}
			return z.Reset(&u.src)
		}
	}),
}

func pool(prepare func(*unzipper)) *sync.Pool {
	return &sync.Pool{New: func() any {
		u := new(unzipper)
		prepare(u)
		return u
	}}
}

// decode decompresses all of a body. With an error it returns what came before.
// A coding without a sign of its own is not it when nothing can be read, or when
// what should be compressed can be read as it is.
func (c coding) decode(body []byte, limit int) (string, error) {
	u := unzippers[c].Get().(*unzipper)
	defer unzippers[c].Put(u)
	defer u.src.Reset(nil)
	u.src.Reset(body)
	if err := u.reset(); err != nil {
		return "", fmt.Errorf("decompressing a body: %w", err)
	}
	var b strings.Builder
	for {
		n, err := u.plain.Read(u.chunk[:])
		if b.Len()+n > limit {
			b.Write(u.chunk[:limit-b.Len()])
			return b.String(), errRatio
		}
		b.Write(u.chunk[:n])
		switch {
		case err == io.EOF && u.src.Len() > 0:
			return b.String(), errors.New("decompressing a body: something follows it")
		case err == io.EOF:
			return b.String(), nil
		case err != nil && (c == brotlied || c == deflated) && (b.Len() == 0 || readable(string(body))):
			return "", errNotCompressed
		case err != nil:
			return b.String(), fmt.Errorf("decompressing a body: %w", err)
		}
	}
}

// encode compresses a body as it was compressed before.
func (list codings) encode(body []byte) ([]byte, error) {
	for i := len(list) - 1; i >= 0; i-- {
		var b bytes.Buffer
		z, err := list[i].writer(&b)
		if err == nil {
			_, err = z.Write(body)
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("compressing a body again: %w", err)
		}
		body = b.Bytes()
	}
	return body, nil
}

func (c coding) writer(to io.Writer) (io.WriteCloser, error) {
	switch c {
	case gzipped:
		return gzip.NewWriter(to), nil
	case zlibbed:
		return zlib.NewWriter(to), nil
	case deflated:
		return flate.NewWriter(to, flate.DefaultCompression)
	case brotlied:
		return brotli.NewWriterLevel(to, 5), nil
	default:
		return zstd.NewWriter(to, zstd.WithEncoderConcurrency(1))
	}
}
