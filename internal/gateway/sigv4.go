package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// sigv4 signs requests for Amazon Web Services: AWS Signature Version 4, as
// described in "Create a signed AWS API request" of the IAM user guide. It signs
// what leaves, after minimisation: what the app signed covered another message.
type sigv4 struct {
	key, secret string
	session     string // of temporary credentials; "" for lasting ones
	region      string // "": as the host says
	service     string
}

const (
	sigv4Name = "AWS4-HMAC-SHA256"
	sigv4Time = "20060102T150405Z"
)

var errUnsignable = errors.New("a message that is longer than limits.body cannot be signed")

// newSigv4 reads "SECRET" or "SECRET SESSION-TOKEN". Region and service come from
// the manifest or from the host, which is where Amazon writes them.
func newSigv4(key, secret, region, service, host string) (*sigv4, error) {
	s := &sigv4{key: key, region: region, service: service}
	s.secret, s.session, _ = strings.Cut(strings.TrimSpace(secret), " ")
	if key == "" {
		return nil, errors.New("the credential has no name: write the access key's id there")
	}
	if s.service == "" {
		s.service, _ = amazonHost(host)
	}
	if _, found := amazonHost(host); s.service == "" || s.region == "" && found == "" {
		return nil, errors.New("neither the manifest nor its upstream names region and service: add them to the credential")
	}
	return s, nil
}

// amazonHost takes service and region from SERVICE.REGION.amazonaws.com; ""
// where it is another host. What is in the first label is not always what the
// signature calls the service.
func amazonHost(host string) (service, region string) {
	host = HostName(host)
	if _, err := netip.ParseAddr(host); err == nil {
		return "", ""
	}
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn"} {
		if rest, ok := strings.CutSuffix(host, domain); ok {
			labels := strings.Split(rest, ".")
			if n := len(labels); n >= 2 {
				service, region = labels[n-2], labels[n-1]
			}
		}
	}
	if service == "email" {
		service = "ses"
	}
	return service, region
}

// ofSigv4 names what carries a signature, in the header or in the query of a link.
func ofSigv4(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256", "X-Amz-Signature", "X-Amz-Credential",
		"X-Amz-Algorithm", "X-Amz-Signedheaders", "X-Amz-Expires":
		return true
	}
	return false
}

// own takes the app's own signature out of a message, and tells it.
func (s *sigv4) own(h http.Header, query string) (value, rest string) {
	value = h.Get("Authorization")
	delete(h, "Authorization")
	for name := range h {
		if ofSigv4(name) {
			delete(h, name)
		}
	}
	if !strings.Contains(query, "X-Amz-") {
		return value, query
	}
	kept := strings.Split(query, "&")
	kept = slices.DeleteFunc(kept, func(p string) bool {
		name, v, _ := strings.Cut(p, "=")
		if name == "X-Amz-Credential" && value == "" {
			v, _ = url.QueryUnescape(v)
			value = sigv4Name + " Credential=" + v
		}
		return ofSigv4(name)
	})
	return value, strings.Join(kept, "&")
}

// sign adds the fields that authenticate a request.
func (s *sigv4) sign(method, host, path, query string, h http.Header, body []byte, at time.Time) {
	stamp := at.UTC().Format(sigv4Time)
	payload := hexSum(body)
	h["X-Amz-Date"], h["X-Amz-Content-Sha256"] = []string{stamp}, []string{payload}
	if s.session != "" {
		h["X-Amz-Security-Token"] = []string{s.session}
	}
	h["Authorization"] = []string{s.authorization(method, host, path, query, h, payload, at)}
}

// authorization is the field that signs a request with everything else in it.
func (s *sigv4) authorization(method, host, path, query string, h http.Header, payload string, at time.Time) string {
	region := s.region
	if region == "" {
		_, region = amazonHost(host)
	}
	stamp, day := at.UTC().Format(sigv4Time), at.UTC().Format("20060102")
	fields, names := signedFields(host, h)
	canonical := strings.Join([]string{method, signedPath(path, s.service), signedQuery(query), fields, names, payload}, "\n")
	scope := strings.Join([]string{day, region, s.service, "aws4_request"}, "/")
	text := strings.Join([]string{sigv4Name, stamp, scope, hexSum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + s.secret)
	for _, part := range []string{day, region, s.service, "aws4_request", text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return sigv4Name + " Credential=" + s.key + "/" + scope + ", SignedHeaders=" + names + ", Signature=" + hex.EncodeToString(key)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// signedFields are the lines of those header fields that are signed, and their
// names: the host, Amazon's own, and what says how to read the body. The others
// may be changed on the way.
func signedFields(host string, h http.Header) (lines, names string) {
	fields := map[string]string{"host": host}
	for name, values := range h {
		low := strings.ToLower(name)
		if !strings.HasPrefix(low, "x-amz-") && low != "content-type" && low != "content-md5" {
			continue
		}
		clean := make([]string, len(values))
		for i, v := range values {
			clean[i] = strings.Join(strings.Fields(v), " ")
		}
		fields[low] = strings.Join(clean, ",")
	}
	var b strings.Builder
	var list []string
	for name := range fields {
		list = append(list, name)
	}
	slices.Sort(list)
	for _, name := range list {
		b.WriteString(name + ":" + fields[name] + "\n")
	}
	return b.String(), strings.Join(list, ";")
}

// signedPath is the path as it is signed: without dot segments, and escaped once
// more than it is sent; but S3 takes it as it is.
func signedPath(p, service string) string {
	if p == "" {
		return "/"
	}
	if service == "s3" {
		return p
	}
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return strings.ReplaceAll(strict3986(clean), "%2F", "/")
}

// signedQuery is the query in order, escaped in one way.
func signedQuery(query string) string {
	if query == "" {
		return ""
	}
	parts := strings.Split(query, "&")
	pairs := make([][2]string, 0, len(parts))
	for _, p := range parts {
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		pairs = append(pairs, [2]string{escapedOnce(name), escapedOnce(value)})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		if c := strings.Compare(a[0], b[0]); c != 0 {
			return c
		}
		return strings.Compare(a[1], b[1])
	})
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p[0] + "=" + p[1])
	}
	return b.String()
}

func escapedOnce(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		s = plain
	}
	return strict3986(s)
}

// strict3986 escapes everything but unreserved characters (RFC 3986).
func strict3986(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
