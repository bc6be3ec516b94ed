package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

func authority(t *testing.T, now func() time.Time) (*Authority, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"},
		NotBefore: now().Add(-time.Hour), NotAfter: now().Add(365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: kb}), now)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return a, pool
}

func TestClientThatTrustsTheCATrustsTheLeaf(t *testing.T) {
	a, pool := authority(t, time.Now)
	for _, host := range []string{"api.acme.example", "127.0.0.1", "::1"} {
		leaf, err := a.Leaf(host)
		if err != nil {
			t.Fatal(err)
		}
		server, client := net.Pipe()
		go tls.Server(server, &tls.Config{Certificates: []tls.Certificate{*leaf}}).Handshake()
		if err := tls.Client(client, &tls.Config{RootCAs: pool, ServerName: host}).Handshake(); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		server.Close()
		client.Close()
	}
}

func TestManyAskingAtOnceGetOneLeaf(t *testing.T) {
	a, _ := authority(t, time.Now)
	var wg sync.WaitGroup
	got := make([]*tls.Certificate, 50)
	for i := range got {
		wg.Go(func() { got[i], _ = a.Leaf("API.acme.example") })
	}
	wg.Wait()
	for _, c := range got {
		if c == nil || c != got[0] {
			t.Fatal("different leaves for one host")
		}
	}
}

func TestLeafIsRenewedBeforeItEnds(t *testing.T) {
	now := time.Now()
	a, _ := authority(t, func() time.Time { return now })
	first, _ := a.Leaf("a.example")
	now = now.Add(leafLife - renewAt + time.Minute)
	second, _ := a.Leaf("a.example")
	if first == second || first.Leaf.SerialNumber.Cmp(second.Leaf.SerialNumber) == 0 {
		t.Error("the same leaf a day before its end")
	}
}

func TestCacheForgetsTheLeastRecentlyUsed(t *testing.T) {
	a, _ := authority(t, time.Now)
	first, _ := a.Leaf("first.example")
	for i := range maxLeaves {
		a.Leaf(fmt.Sprintf("h%d.example", i))
	}
	if again, _ := a.Leaf("first.example"); again == first || a.order.Len() != maxLeaves || len(a.leaves) != maxLeaves {
		t.Errorf("%d leaves kept", a.order.Len())
	}
}

func TestExpiredCAIsSaidAndNotUsed(t *testing.T) {
	now := time.Now()
	a, _ := authority(t, func() time.Time { return now })
	now = now.Add(366 * 24 * time.Hour)
	if _, err := a.Leaf("a.example"); err == nil {
		t.Error("signed after the CA's end")
	}
}
