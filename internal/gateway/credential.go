package gateway

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"cordon/internal/gateway/upstream"
	"cordon/internal/vendor"
)

// credential is what authenticates us at a vendor. It is put in after
// minimisation, so that it is never classified, recorded or shown.
type credential struct {
	in, name string
	value    string        // secret
	ref      string        // what the manifest calls it
	aws      *sigv4        // in: sigv4
	steps    []vendor.Step // in: body
	// before and after are what stands around it, in: path.
	before, after string
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
	case "sigv4":
		host := ""
		if spec.Upstream != nil {
			host = spec.Upstream.Hostname()
		}
		cred.aws, err = newSigv4(c.Name, secret.Reveal(), c.Region, c.Service, host)
		if err != nil {
			return nil, err
		}
	case "body":
		if cred.steps, err = bodySteps(c.Name); err != nil {
			return nil, err
		}
	case "path":
		cred.before, cred.after, _ = strings.Cut(format, "{secret}")
		if cred.value = secret.Reveal(); !strings.HasPrefix(cred.before, "/") {
			return nil, fmt.Errorf("its credential stands in the path, and its value does not say where; write it as /services/{secret}")
		}
	default:
		return nil, fmt.Errorf("a credential in %q is not supported yet; use header, query, body, path, basic or sigv4", c.In)
	}
	cred.needles = needlesOf(secret.Reveal(), cred.value)
	return cred, nil
}

// places where apps put their own credential, when no manifest says where.
var places = []string{"Authorization", "X-Api-Key", "Api-Key", "X-Postmark-Server-Token", "Dd-Api-Key", "X-Auth-Token"}

// own takes the credential that the app brought out of the message, and tells
// it. With a manifest's credential the app's must not reach the vendor.
func (c *credential) own(x *Exchange) (value string) {
	if c != nil && c.in == "path" {
		value, x.Path = c.ownPath(x.Path)
		return value
	}
	value, x.Query = c.ownOutside(x.Header, x.Query)
	return value
}

// ownPath replaces an app's secret in a path. What stands there instead has as
// many segments as ours, so that the message takes the same route.
func (c *credential) ownPath(path string) (value, rest string) {
	middle, ok := strings.CutPrefix(path, c.before)
	if middle, ok2 := strings.CutSuffix(middle, c.after); ok && ok2 {
		if middle == "{secret}" || strings.EqualFold(middle, "%7Bsecret%7D") || strings.Trim(middle, "-/") == "" {
			value = ""
		} else {
			value = middle
		}
		return value, c.before + "-" + strings.Repeat("/-", strings.Count(c.value, "/")) + c.after
	}
	return "", path
}

// putPath puts ours there.
func (c *credential) putPath(path string) string {
	if c == nil || c.in != "path" {
		return path
	}
	if middle, ok := strings.CutPrefix(path, c.before); ok && strings.HasSuffix(middle, c.after) {
		return c.before + c.value + c.after
	}
	return path
}

func (c *credential) ownOutside(h http.Header, query string) (value, rest string) {
	if c == nil {
		for _, name := range places {
			if v := h.Get(name); v != "" {
				return v, query
			}
		}
		return "", query
	}
	switch c.in {
	case "query":
		return cutParameter(query, c.name)
	case "sigv4":
		return c.aws.own(h, query)
	case "body": // see ownBody
		return "", query
	}
	value = h.Get(c.name)
	delete(h, c.name)
	return value, query
}

// inject puts ours into a request. The answer must then be readable for conceal,
// so no compression is offered. A signature comes last: it covers the rest.
func (c *credential) inject(r *upstream.Request, path, query string, now time.Time) (err error) {
	if c != nil {
		r.Header["Accept-Encoding"] = []string{"identity"}
		switch c.in {
		case "query":
			if query != "" {
				query += "&"
			}
			query += url.QueryEscape(c.name) + "=" + url.QueryEscape(c.value)
		case "path": // it is there already: see request
		case "body":
			if r.Rest != nil {
				return errNoPlace
			}
			r.Body, err = c.putBody(r.Header, r.Body)
		case "sigv4":
			if r.Rest != nil {
				return errUnsignable
			}
			c.aws.sign(r.Method, r.Host, path, query, r.Header, r.Body, now)
		default:
			r.Header[c.name] = []string{c.value}
		}
	}
	if r.Target = path; query != "" {
		r.Target += "?" + query
	}
	return err
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
