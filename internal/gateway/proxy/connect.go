package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"cordon/internal/gateway"
	"cordon/internal/gateway/guard"
)

// handshakeWithin bounds a client's TLS handshake.
const handshakeWithin = 10 * time.Second

// connect answers a CONNECT.
func (s *Server) connect(w http.ResponseWriter, r *http.Request, sender gateway.Sender) {
	x := &gateway.Exchange{Answer: w, Sender: sender}
	host := gateway.HostName(r.Host)
	v := s.g.Host(host)
	if v == nil && !s.g.Observes() {
		s.g.Sighted(host, false)
		s.refuse(x, gateway.UnknownHost())
		return
	}
	var tunnel *gateway.Tunnel
	if v == nil {
		s.g.Sighted(host, true)
		var p *gateway.Problem
		if tunnel, p = s.g.OpenTunnel(s.ctx, sender, r.Host); p != nil {
			s.refuse(x, p)
			return
		}
	}
	client := guard.From(r)
	hijacked, _, err := http.NewResponseController(w).Hijack()
	if err != nil || client == nil {
		if tunnel != nil {
			tunnel.Close()
		}
		s.refuse(x, gateway.NotSupported("CONNECT is for HTTP/1.1 clients"))
		return
	}
	// The guard showed the server nothing after the head; it does so to us from
	// here on. The server's buffer is empty, and stays out of the way.
	client.Tunnel()
	hijacked.SetDeadline(time.Time{})
	s.work.add(func() {
		if _, err := client.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
			client.Close()
			if tunnel != nil {
				tunnel.Close()
			}
			return
		}
		if tunnel != nil {
			defer client.Close()
			tunnel.Splice(client)
			return
		}
		s.open(client, &inside{vendor: v, sender: sender, host: host})
	})
}

// open finds out what the client speaks inside the tunnel and hands it to the
// inner server: TLS, which we answer in the vendor's name, or plain HTTP.
func (s *Server) open(client net.Conn, in *inside) {
	peeked := &peekConn{Conn: client}
	client.SetDeadline(time.Now().Add(handshakeWithin))
	first, err := peeked.peek()
	if err != nil {
		client.Close()
		return
	}
	const handshakeRecord = 0x16 // RFC 8446, section 5.1
	if first != handshakeRecord {
		client.SetDeadline(time.Time{})
		s.queue.put(gateway.Guard(peeked, s.limits), in)
		return
	}
	conn := tls.Server(peeked, s.config(in))
	ctx, cancel := context.WithTimeout(s.ctx, handshakeWithin)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		client.Close()
		if errors.Is(err, errServerName) {
			s.g.Misnamed(in.vendor, in.sender)
		}
		return
	}
	client.SetDeadline(time.Time{})
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		s.queue.put(conn, in) // net/http recognises its own *tls.Conn
		return
	}
	s.queue.put(gateway.Guard(conn, s.limits), in)
}

var errServerName = errors.New("the TLS server name is not the host of the CONNECT")

func (s *Server) config(in *inside) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			// A client sends no name for an address, and old ones send none at all.
			if hello.ServerName != "" && gateway.HostName(hello.ServerName) != in.host {
				return nil, errServerName
			}
			return s.ca.Leaf(in.host)
		},
	}
}

// peekConn shows its first byte without taking it.
type peekConn struct {
	net.Conn
	first []byte
}

func (p *peekConn) peek() (byte, error) {
	var b [1]byte
	n, err := p.Conn.Read(b[:])
	if n == 0 {
		return 0, err
	}
	p.first = b[:1]
	return b[0], nil
}

func (p *peekConn) Read(b []byte) (int, error) {
	if len(p.first) > 0 && len(b) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

// tunnels counts goroutines, so that Shutdown can wait for them.
type tunnels struct{ wg sync.WaitGroup }

func (t *tunnels) add(f func()) { t.wg.Go(f) }
func (t *tunnels) wait()        { t.wg.Wait() }
