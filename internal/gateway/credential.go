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
	// needles are the forms in which an answer could give it away.
	needles [][]byte
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
	cred.needles = needlesOf(secret.Reveal(), cred.value)
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

// inject puts ours in. The answer must then be readable for conceal, so no
// compression is offered.
func (c *credential) inject(h http.Header, query string) string {
	if c == nil {
		return query
	}
	h["Accept-Encoding"] = []string{"identity"}
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
