package upstream

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
)

// config is made once per target, so that sessions are resumed.
func (c *Client) config(t Target) *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cfg := c.tls[t]; cfg != nil {
		return cfg
	}
	host, _, _ := net.SplitHostPort(t.Host)
	cfg := &tls.Config{
		ServerName:         host,
		RootCAs:            c.o.Roots,
		MinVersion:         tls.VersionTLS12,
		NextProtos:         []string{"http/1.1"},
		ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}
	if pin := c.o.Pin; pin != nil {
		// VerifyConnection runs for resumed sessions too; VerifyPeerCertificate
		// does not.
		cfg.VerifyConnection = func(s tls.ConnectionState) error { return checkPin(s.VerifiedChains, pin) }
	}
	c.tls[t] = cfg
	return cfg
}

// ErrPin says that a vendor showed valid certificates, but not the key that
// its manifest pins.
var ErrPin = errors.New("no certificate of the vendor has the pinned public key")

func checkPin(chains [][]*x509.Certificate, pin []byte) error {
	for _, chain := range chains {
		for _, cert := range chain {
			if sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo); bytes.Equal(sum[:], pin) {
				return nil
			}
		}
	}
	return ErrPin
}

// ParsePin reads a manifest's "sha256:" and 32 bytes in hex or base64.
func ParsePin(s string) ([]byte, error) {
	v, ok := strings.CutPrefix(s, "sha256:")
	if !ok {
		return nil, fmt.Errorf("pin %q does not begin with \"sha256:\"", s)
	}
	v = strings.TrimSpace(v)
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString} {
		if b, err := decode(v); err == nil && len(b) == sha256.Size {
			return b, nil
		}
	}
	return nil, fmt.Errorf("pin %q is not 32 bytes in hex or base64", s)
}
