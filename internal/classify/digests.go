package classify

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"
)

// digests makes the headers that say what the body's digest is say that of the
// body as it leaves: Content-MD5 (RFC 1864), Digest (RFC 3230), Content-Digest
// and Repr-Digest (RFC 9530), and Amazon's own. The codings of a body are part
// of what all of them cover.
func (r *rewriting) digests(header map[string][]string) error {
	for name, values := range header {
		again := digestHeaders[name]
		if again == nil {
			continue
		}
		for i, before := range values {
			if after := again(before, r.out.Body); after != before {
				r.setHeader(name, i, after)
			}
		}
	}
	return nil
}

var digestHeaders = map[string]func(before string, body []byte) string{
	"Content-Md5": func(_ string, body []byte) string {
		return base64.StdEncoding.EncodeToString(sum(md5.New(), body))
	},
	"Digest":         func(before string, body []byte) string { return listed(before, body, "") },
	"Content-Digest": func(before string, body []byte) string { return listed(before, body, ":") },
	"Repr-Digest":    func(before string, body []byte) string { return listed(before, body, ":") },
	"X-Amz-Content-Sha256": func(before string, body []byte) string {
		if len(before) != 2*sha256.Size { // UNSIGNED-PAYLOAD and the like
			return before
		}
		return hex.EncodeToString(sum(sha256.New(), body))
	},
}

var digestNames = map[string]func() hash.Hash{
	"md5": md5.New, "sha": sha1.New, "sha-1": sha1.New, "sha-256": sha256.New, "sha-512": sha512.New,
}

// listed writes a list of digests anew, sha-256=:…:, sha-512=:…:, each between
// the quotes that its header has. One in an unknown way is left out: wrong, the
// vendor would refuse the message for it.
func listed(before string, body []byte, quote string) string {
	var list []string
	for part := range strings.SplitSeq(before, ",") {
		name, _, _ := strings.Cut(strings.TrimSpace(part), "=")
		if h := digestNames[strings.ToLower(name)]; h != nil {
			list = append(list, name+"="+quote+base64.StdEncoding.EncodeToString(sum(h(), body))+quote)
		}
	}
	return strings.Join(list, ", ")
}

func sum(h hash.Hash, body []byte) []byte {
	h.Write(body)
	return h.Sum(nil)
}
