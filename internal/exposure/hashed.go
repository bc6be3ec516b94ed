package exposure

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Hashes are the forms in which vendors that take hashed addresses and numbers
// know a canonical identifier: SHA-256 (Meta, Google) and MD5 (Mailchimp) of the
// lower-case address; SHA-256 of the number's digits with and without the plus
// (Google and Meta differ). A number in national form has none, as vendors want
// the country code hashed too. Other kinds have none.
func (i Identifier) Hashes() []Identifier {
	switch i.Kind {
	case KindEmail:
		sum := md5.Sum([]byte(i.Value))
		return []Identifier{
			{Kind: KindEmailSHA256, Value: sha256Hex(i.Value)},
			{Kind: KindEmailMD5, Value: hex.EncodeToString(sum[:])},
		}
	case KindPhone:
		digits, international := strings.CutPrefix(i.Value, "+")
		if !international {
			return nil
		}
		return []Identifier{
			{Kind: KindPhoneSHA256, Value: sha256Hex(digits)},
			{Kind: KindPhoneSHA256, Value: sha256Hex(i.Value)},
		}
	default:
		return nil
	}
}

// HashedKind says which kind of identifier a value is that an app hashed before
// it put it where category c belongs; false when the value is no such hash.
func HashedKind(c Category, value string) (Kind, bool) {
	switch {
	case !isHex(value):
	case c == Email && len(value) == hexLength(KindEmailSHA256):
		return KindEmailSHA256, true
	case c == Email && len(value) == hexLength(KindEmailMD5):
		return KindEmailMD5, true
	case c == Phone && len(value) == hexLength(KindPhoneSHA256):
		return KindPhoneSHA256, true
	}
	return 0, false
}

// Digest reports whether a value reads like SHA-256 in hex: where a name or a
// birth date belongs, the app hashed it itself.
func Digest(value string) bool { return len(value) == 2*sha256.Size && isHex(value) }

func sha256Hex(v string) string {
	sum := sha256.Sum256([]byte(v))
	return hex.EncodeToString(sum[:])
}

func hexLength(k Kind) int {
	if k == KindEmailMD5 {
		return 2 * md5.Size
	}
	return 2 * sha256.Size
}

func isHex(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F') {
			return false
		}
	}
	return s != ""
}
