package vault

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestCASignsLeavesAndNothingElse(t *testing.T) {
	v := mustOpen(t, Source{Dir: filepath.Join(t.TempDir(), "keys")}, serve)
	block, _ := pem.Decode(v.Keys().CACert)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if !cert.IsCA || !cert.MaxPathLenZero || cert.KeyUsage&x509.KeyUsageCertSign == 0 || cert.SerialNumber.BitLen() < 64 ||
		!strings.Contains(cert.Subject.CommonName, "photos.example") || time.Until(cert.NotAfter) < 9*365*24*time.Hour || cert.NotBefore.After(time.Now()) {
		t.Errorf("%+v", cert)
	}
}

func TestExpiredCAIsRefusedAndMadeAnewFromItsKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	src := Source{Dir: dir}
	v := mustOpen(t, src, serve)
	key, err := parseCAKey([]byte(v.Keys().CAKey.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	old, err := newCACert(key, "x", time.Now().Add(-2*caLife))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, caCert)
	if err := os.WriteFile(path, old, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Open(src, serve)
	refused(t, err, "it expired on", "move it away")
	os.Remove(path)
	if after := mustOpen(t, src, serve); len(after.Created()) != 1 || after.Keys().CAKey.Reveal() != v.Keys().CAKey.Reveal() {
		t.Errorf("made %v", after.Created())
	}
}

func TestCACertificateWithoutItsKeyIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	mustOpen(t, Source{Dir: dir}, serve)
	os.Remove(filepath.Join(dir, caKey))
	_, err := Open(Source{Dir: dir}, serve)
	refused(t, err, "without ca.key")
}
