package gateway

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"cordon/internal/vendor"
)

// credential is what authenticates us at a vendor. It is put in after
// minimisation, so that it is never classified, recorded or shown.
type credential struct {
	in, name string
	value    string // secret
	ref      string // what the manifest calls it
}

// newCredential reads the secret. nil without error: the app's own passes.
func newCredential(spec *vendor.Spec, secrets Secrets) (*credential, error) {
	c := spec.Credential
	if c == nil || c.Secret == "" {
		return nil, nil
	}
	secret, err := secrets.Secret(c.Secret)
	if err != nil {
		return nil, fmt.Errorf("reading its credential %s: %w", c.Secret, err)
	}
	if secret.IsZero() {
		return nil, fmt.Errorf("its credential %s is empty", c.Secret)
	}
	format := c.Value
	if format == "" {
		format = "{secret}"
	}
	cred := &credential{in: c.In, ref: c.Secret, name: c.Name, value: strings.ReplaceAll(format, "{secret}", secret.Reveal())}
	switch c.In {
	case "header":
		if cred.name == "" {
			cred.name = "Authorization"
		}
		cred.name = textproto.CanonicalMIMEHeaderKey(cred.name)
	case "basic":
		cred.in, cred.value = "header", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.Name+":"+cred.value))
		cred.name = "Authorization"
	case "query":
		if cred.name == "" {
			return nil, fmt.Errorf("its credential stands in the query and has no name")
		}
	default:
		return nil, fmt.Errorf("a credential in %q is not supported yet; use header, query or basic", c.In)
	}
	return cred, nil
}

// places where apps put their own credential, when no manifest says where.
var places = []string{"Authorization", "X-Api-Key", "Api-Key", "X-Postmark-Server-Token", "Dd-Api-Key", "X-Auth-Token"}

// own takes the credential that the app brought out of the message, and tells
// it. With a manifest's credential the app's must not reach the vendor.
func (c *credential) own(h http.Header, query string) (value, rest string) {
	if c == nil {
		for _, name := range places {
			if v := h.Get(name); v != "" {
				return v, query
			}
		}
		return "", query
	}
	if c.in == "query" {
		return cutParameter(query, c.name)
	}
	value = h.Get(c.name)
	delete(h, c.name)
	return value, query
}

// inject puts ours in.
func (c *credential) inject(h http.Header, query string) string {
	if c == nil {
		return query
	}
	if c.in == "query" {
		p := url.QueryEscape(c.name) + "=" + url.QueryEscape(c.value)
		if query == "" {
			return p
		}
		return query + "&" + p
	}
	h[c.name] = []string{c.value}
	return query
}

// cutParameter removes every parameter of the name without touching the others'
// spelling.
func cutParameter(query, name string) (value, rest string) {
	if query == "" {
		return "", ""
	}
	parts := strings.Split(query, "&")
	kept := parts[:0]
	for _, p := range parts {
		k, v, _ := strings.Cut(p, "=")
		if dec, err := url.QueryUnescape(k); err == nil && dec == name {
			value = v
			continue
		}
		kept = append(kept, p)
	}
	return value, strings.Join(kept, "&")
}

// conceal removes header fields of an answer that repeat our secret: an endpoint
// that echoes requests would hand it to the app.
func (c *credential) conceal(h http.Header) {
	if c == nil {
		return
	}
	needle := c.value
	if _, after, found := strings.Cut(needle, " "); found && len(after) >= 8 {
		needle = after // "Bearer …" is echoed without its scheme too
	}
	if len(needle) < 4 {
		return
	}
	escaped := url.QueryEscape(needle)
	for name, values := range h {
		for _, v := range values {
			if strings.Contains(v, needle) || strings.Contains(v, escaped) {
				delete(h, name)
				break
			}
		}
	}
}
