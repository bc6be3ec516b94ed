// Package ca issues the certificates with which the proxy speaks as a vendor
// to our own apps, which trust the CA that `cordon ca` prints.
//
// Leaves live for days, are made on demand for one host each, and are kept in
// a bounded cache. Only hosts that a manifest names are ever asked for: the
// proxy looks the vendor up first.
package ca

import (
	"container/list"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	leafLife  = 7 * 24 * time.Hour
	renewAt   = 24 * time.Hour // before the end
	clockSkew = time.Hour      // an app's clock may be behind ours
	maxLeaves = 1024
)

// Authority signs leaves with the CA's key.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	now  func() time.Time

	mu     sync.Mutex
	leaves map[string]*list.Element // guarded by mu; of *leaf
	order  *list.List               // guarded by mu; most recently used first
}

// leaf is made once, by whoever asked first; the others wait for ready.
type leaf struct {
	host  string
	ready chan struct{}
	cert  *tls.Certificate // after ready
	err   error            // after ready
	until time.Time        // after ready
}

// New reads the CA's certificate and key (PKCS #8), both PEM.
func New(certPEM, keyPEM []byte, now func() time.Time) (*Authority, error) {
	cb, _ := pem.Decode(certPEM)
	kb, _ := pem.Decode(keyPEM)
	if cb == nil || kb == nil {
		return nil, errors.New("reading the CA: not PEM")
	}
	cert, err := x509.ParseCertificate(cb.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the CA's certificate: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(kb.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the CA's key: %w", err)
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("reading the CA's key: it cannot sign")
	}
	if pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !pub.Equal(cert.PublicKey) {
		return nil, errors.New("the CA's key does not belong to its certificate")
	}
	if !cert.IsCA {
		return nil, errors.New("the CA's certificate is not one of a CA")
	}
	if now == nil {
		now = time.Now
	}
	return &Authority{cert: cert, key: key, now: now, leaves: map[string]*list.Element{}, order: list.New()}, nil
}

// Leaf is the certificate for a host name or address, from the cache or fresh.
func (a *Authority) Leaf(host string) (*tls.Certificate, error) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	a.mu.Lock()
	if e, ok := a.leaves[host]; ok {
		l := e.Value.(*leaf)
		select {
		case <-l.ready:
			if l.err == nil && a.now().Before(l.until) {
				a.order.MoveToFront(e)
				a.mu.Unlock()
				return l.cert, nil
			}
			a.drop(e)
		default:
			a.mu.Unlock()
			<-l.ready
			return l.cert, l.err
		}
	}
	l := &leaf{host: host, ready: make(chan struct{})}
	a.leaves[host] = a.order.PushFront(l)
	if a.order.Len() > maxLeaves {
		a.drop(a.order.Back())
	}
	a.mu.Unlock()
	l.cert, l.until, l.err = a.issue(host)
	close(l.ready)
	return l.cert, l.err
}

// drop is called with mu held.
func (a *Authority) drop(e *list.Element) {
	a.order.Remove(e)
	delete(a.leaves, e.Value.(*leaf).host)
}

func (a *Authority) issue(host string) (*tls.Certificate, time.Time, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("making a key for %s: %w", host, err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("making a serial number for %s: %w", host, err)
	}
	now := a.now()
	end := now.Add(leafLife)
	if a.cert.NotAfter.Before(end) {
		end = a.cert.NotAfter
	}
	if !now.Before(end) {
		return nil, time.Time{}, fmt.Errorf("the CA expired on %s; make a new one and let the apps trust it", end.Format(time.DateOnly))
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"Cordon"}},
		NotBefore:    now.Add(-clockSkew),
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		t.IPAddresses = []net.IP{ip}
	} else {
		t.DNSNames = []string{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("signing a certificate for %s: %w", host, err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("signing a certificate for %s: %w", host, err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: parsed}, end.Add(-min(renewAt, end.Sub(now)/2)), nil
}
