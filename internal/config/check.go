package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"cordon/internal/strict"
	"cordon/internal/vault"
	"cordon/internal/vendor"
)

// Check is everything that `cordon check` reports: the files, and what they
// name in the world: keys, secrets, certificates, folders, addresses. It
// listens nowhere and dials nobody.
func Check(path string, o Overrides) []strict.Problem {
	c, specs, problems := Load(path, o)
	if c == nil {
		return problems
	}
	w := &world{config: c, problems: problems}
	w.folders()
	w.keys()
	w.configSecrets()
	for _, s := range specs {
		w.vendor(s)
	}
	return w.problems
}

// world is one look at what a configuration names.
type world struct {
	config   *Config
	secrets  *vault.Secrets // nil when the keys cannot be read at all
	problems []strict.Problem
}

// add reports a problem with a key of cordon.yaml.
func (w *world) add(key, problem, fix string) {
	r := w.config.report
	w.problems = append(w.problems, strict.Problem{File: r.File(), Line: r.Line(key), Problem: problem, Fix: fix})
}

// blame reports an error that says what to do next on its second line.
func (w *world) blame(file string, line int, err error) {
	problem, fix, _ := strings.Cut(err.Error(), "\n")
	if fix == "" {
		fix = "make it readable for this user"
	}
	w.problems = append(w.problems, strict.Problem{File: file, Line: line, Problem: problem, Fix: fix})
}

func (w *world) folders() {
	for _, k := range []struct{ key, path string }{{"data", w.config.Data}, {"mirror", w.config.Mirror}, {"failover", w.config.Failover}} {
		if k.path == "" {
			continue
		}
		info, err := os.Stat(k.path)
		switch {
		case err != nil: // made by the first start
		case !info.IsDir():
			w.add(k.key, k.path+" is not a folder", "name another")
		case info.Mode().Perm()&0o002 != 0:
			w.add(k.key, fmt.Sprintf("everybody can write into %s (mode %04o)", k.path, info.Mode().Perm()), "chmod 0700 "+k.path)
		}
	}
	if f := w.config.Directory.File; f != "" && !isURL(f) {
		if file, err := os.Open(f); err != nil {
			w.add("directory.file", f+" cannot be read: "+cause(err), "name a file with people, or remove directory")
		} else {
			file.Close()
		}
	}
}

// keys looks at the keys as the next start would, without making any.
func (w *world) keys() {
	src := w.config.KeySource()
	o := vault.Options{Origin: w.config.Origin(), Create: true, LedgerExists: LedgerExists(w.config.Data)}
	if err := vault.Check(src, o); err != nil {
		w.blame(w.config.report.File(), w.config.report.Line("keys"), err)
	}
	w.secrets, _ = vault.OpenSecrets(src) // its error is the one just reported
}

// LedgerExists reports whether the data directory holds a ledger already: its
// store or its file of heads, either of which is written under the keys.
func LedgerExists(data string) bool {
	entries, _ := os.ReadDir(filepath.Join(data, "store"))
	_, err := os.Stat(filepath.Join(data, "heads"))
	return len(entries) > 0 || err == nil
}

// secret reads what ref names and gives it to check, which may be nil.
func (w *world) secret(file string, line int, ref string, check func(string) (problem, fix string)) {
	if ref == "" || w.secrets == nil {
		return
	}
	s, err := w.secrets.Secret(ref)
	if err != nil {
		w.blame(file, line, err)
		return
	}
	if check == nil {
		return
	}
	if problem, fix := check(s.Reveal()); problem != "" {
		w.problems = append(w.problems, strict.Problem{File: file, Line: line, Problem: ref + " " + problem, Fix: fix})
	}
}

func (w *world) configSecrets() {
	c, r := w.config, w.config.report
	for i, a := range c.Apps {
		w.secret(r.File(), r.Line(fmt.Sprintf("apps[%d].token", i)), a.Token, checkToken)
	}
	if c.Notices == nil {
		return
	}
	w.secret(r.File(), r.Line("notices.smtp.password"), c.Notices.SMTP.Password, nil)
	for i, d := range c.Notices.DKIM {
		w.secret(r.File(), r.Line(fmt.Sprintf("notices.dkim[%d].key", i)), d.Key, checkDKIM)
	}
}

func (w *world) vendor(s *vendor.Spec) {
	look := func(key, ref string, check func(string) (string, string)) {
		file, line := s.Where(key)
		w.secret(file, line, ref, check)
	}
	m := s.Manifest
	if s.Credential != nil {
		look("credential.secret", s.Credential.Secret, checkHeaderSafe)
	}
	if m.TLS != nil {
		look("tls.ca", m.TLS.CA, checkCertificates)
	}
	if m.SMTP != nil {
		look("smtp.password", m.SMTP.Password, nil)
	}
	if m.Webhook != nil {
		look("webhook.secret", m.Webhook.Secret, nil)
	}
	for i, in := range m.Inbound {
		look(fmt.Sprintf("inbound[%d].token", i), in.Token, checkToken)
	}
	if problem, fix := w.upstream(s.Upstream); problem != "" {
		file, line := s.Where("upstream")
		w.problems = append(w.problems, strict.Problem{File: file, Line: line, Problem: problem, Fix: fix})
	}
}

// upstream refuses addresses that cannot be a vendor: ourselves, and the ranges
// in which clouds serve their metadata.
func (w *world) upstream(u *url.URL) (problem, fix string) {
	if u == nil || u.Host == "" {
		return "", ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if isLoopback(u.Hostname()) {
		for _, d := range w.config.Listen.doors() {
			if overlap(net.JoinHostPort(u.Hostname(), port), d.address) {
				return fmt.Sprintf("the upstream is our own address %s: messages would go round in circles", d.key), "name the vendor's address"
			}
		}
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil {
		if ip = ip.Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
			return fmt.Sprintf("%s is no vendor's address: it is link-local, multicast or unspecified", ip), "name the vendor's address"
		}
	}
	return "", ""
}

// checkToken refuses tokens that could be guessed, or not be sent.
func checkToken(token string) (string, string) {
	if problem, fix := checkHeaderSafe(token); problem != "" {
		return problem, fix
	}
	if len(token) < 16 {
		return "holds a token of less than 16 characters, which could be guessed", "write a longer one: openssl rand -hex 24"
	}
	return "", ""
}

func checkHeaderSafe(secret string) (string, string) {
	if strings.ContainsAny(secret, "\r\n\x00") {
		return "holds several lines", "write the secret alone into it"
	}
	return "", ""
}

func checkCertificates(text string) (string, string) {
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(text)) {
		return "holds no certificate", "write the CA's certificates into it, as PEM"
	}
	return "", ""
}

// checkDKIM wants what receivers accept: RSA of at least 2048 bits (RFC 8301)
// or Ed25519 (RFC 8463).
func checkDKIM(text string) (string, string) {
	const fix = "make one with: openssl genrsa 2048, or openssl genpkey -algorithm ed25519"
	key, err := parsePrivateKey([]byte(text))
	if err != nil {
		return "holds no private key", fix
	}
	switch k := key.(type) {
	case ed25519.PrivateKey:
	case *rsa.PrivateKey:
		if k.N.BitLen() < 2048 {
			return "holds an RSA key that receivers refuse as too short", fix
		}
	case *ecdsa.PrivateKey:
		return "holds an ECDSA key, which DKIM does not know", fix
	default:
		return "holds a key that DKIM does not know", fix
	}
	return "", ""
}

func parsePrivateKey(text []byte) (any, error) {
	block, _ := pem.Decode(bytes.TrimSpace(append(text, '\n')))
	if block == nil {
		return nil, errors.New("no PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	return x509.ParsePKCS8PrivateKey(block.Bytes)
}
