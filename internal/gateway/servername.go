package gateway

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
)

var errEnough = errors.New("the name is known")

// serverName reads as much of what a client sends as tells the TLS server name
// that it asks for, "" if it does not speak TLS or names none. What was read is
// returned, to be passed on.
func serverName(client net.Conn) (read []byte, name string) {
	var buf bytes.Buffer
	s := tls.Server(readOnly{client, io.TeeReader(client, &buf)}, &tls.Config{
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			name = h.ServerName
			return nil, errEnough
		},
	})
	_ = s.Handshake() // it always ends in an error: there is no certificate
	return buf.Bytes(), name
}

// readOnly keeps crypto/tls from answering.
type readOnly struct {
	net.Conn
	io.Reader
}

func (c readOnly) Read(p []byte) (int, error)  { return c.Reader.Read(p) }
func (c readOnly) Write(p []byte) (int, error) { return len(p), nil }
