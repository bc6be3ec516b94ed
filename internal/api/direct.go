package api

import (
	"io"
	"net/http"
	"sync"
)

// direct is a transport that calls a handler in this process, as local. The
// answer streams: the handler runs while the caller reads.
type direct struct{ handler http.Handler }

func (t direct) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(WithActor(r.Context(), LocalActor))
	in.RequestURI = r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	reader, writer := io.Pipe()
	w := &pipeWriter{header: http.Header{}, pipe: writer, ready: make(chan struct{})}
	go func() {
		defer func() {
			if problem := recover(); problem != nil {
				if problem != http.ErrAbortHandler { // a bug, not half an answer
					panic(problem)
				}
				w.start(http.StatusInternalServerError)
				writer.CloseWithError(io.ErrUnexpectedEOF)
				return
			}
			w.start(http.StatusOK)
			writer.Close()
		}()
		t.handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.ready:
	case <-r.Context().Done():
		reader.Close()
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: w.status, Header: w.header, Body: reader, Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
	}, nil
}

type pipeWriter struct {
	header http.Header
	status int
	pipe   *io.PipeWriter
	once   sync.Once
	ready  chan struct{}
}

func (w *pipeWriter) start(status int) {
	w.once.Do(func() {
		w.status = status
		w.header = w.header.Clone() // the caller reads its own copy
		close(w.ready)
	})
}

func (w *pipeWriter) Header() http.Header    { return w.header }
func (w *pipeWriter) WriteHeader(status int) { w.start(status) }
func (w *pipeWriter) Flush()                 {}
func (w *pipeWriter) Write(p []byte) (int, error) {
	w.start(http.StatusOK)
	return w.pipe.Write(p)
}
