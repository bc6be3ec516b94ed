package vendor

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"cordon/internal/strict"
)

// supportedCredentials are the placements that the gateway of this build can
// write. The others are known to the format, so that catalogues may state them.
var supportedCredentials = []string{"header", "query", "body", "path", "basic", "sigv4"}

// reserved are first segments of our own HTTP address.
var reserved = []string{"hooks"}

// Check adds what the tags of a manifest cannot say and needs no catalogue.
func (m *Manifest) Check(r *strict.Report) {
	if slices.Contains(reserved, m.Vendor) {
		r.Add("vendor", fmt.Sprintf("the name %q is taken by Cordon's own address /%s", m.Vendor, m.Vendor), "choose another name")
	}
	if u, err := url.Parse(m.Upstream); err == nil && u.Scheme == "http" && publicName(u.Hostname()) {
		r.Add("upstream", "personal data would cross the internet unencrypted", "write https://"+u.Host+u.Path)
	}
	if m.Credential != nil && m.Credential.Secret == "" && !r.Has("credential.secret") {
		r.Add("credential", "the credential names no secret", "add secret: file:"+m.Vendor+".secret")
	}
	checkPolicy(r, m.Minimize)
	if m.WhenCut == "failover:"+m.Vendor {
		r.Add("when_cut", "the vendor fails over to itself", "name another vendor")
	}
}

// Check says where a credential lacks what its placement needs.
func (c *Credential) Check(r *strict.Report) {
	if c.Value != "" && !strings.Contains(c.Value, "{secret}") {
		r.Add("value", "the value has no place for the secret", `write {secret} where it stands, such as "Bearer {secret}"`)
	}
	if strings.ContainsAny(c.Name+c.Value, "\r\n\x00") {
		r.Add("", "a name or value has line breaks", "remove them")
	}
	if c.In == "header" && c.Name != "" && !isToken(c.Name) {
		r.Add("name", fmt.Sprintf("%q is not the name of a header", c.Name), "write it as in the vendor's documentation, such as Authorization")
	}
	if c.In == "body" && c.Name != "" {
		if problem, fix := checkPath(c.Name); problem != "" {
			r.Add("name", problem, fix)
		}
	}
}

// Check refuses mail in the clear over the internet.
func (s *SMTP) Check(r *strict.Report) {
	host := s.Upstream[:max(0, strings.LastIndexByte(s.Upstream, ':'))]
	if s.TLS == "none" && host != "" && publicName(strings.Trim(host, "[]")) {
		r.Add("tls", "personal data would cross the internet unencrypted", "write starttls or tls")
	}
}

// publicName reports whether a host is reached over the internet, as far as its
// name tells: no private or loopback address, none of the names that RFC 6761,
// RFC 6762, RFC 8375 and ICANN keep for private use, and not a bare name.
func publicName(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.Unmap().IsLoopback() && !ip.Unmap().IsPrivate() && !ip.Unmap().IsLinkLocalUnicast()
	}
	for _, private := range []string{".localhost", ".local", ".test", ".internal", ".home.arpa"} {
		if strings.HasSuffix(host, private) {
			return false
		}
	}
	return strings.Contains(host, ".")
}

// isToken is RFC 9110 section 5.6.2.
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", c))
	}) < 0
}
