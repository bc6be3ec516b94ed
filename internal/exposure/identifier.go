package exposure

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Kind is a kind of identifier. Its number is hashed into the ledger's keyed
// identifiers, so numbers are never reused.
type Kind uint8

const (
	KindEmail     Kind = 1
	KindPhone     Kind = 2
	KindUserID    Kind = 3 // the organisation's own id, the directory's column "id"
	KindUsername  Kind = 4
	KindPseudonym Kind = 5 // an id that only one vendor knows: cookie, anonymousId, cus_…

	// Hashes under which vendors know an address or a number: whoever holds the
	// list can compute them, so they identify as the plain value does.
	KindEmailSHA256 Kind = 6
	KindEmailMD5    Kind = 7
	KindPhoneSHA256 Kind = 8
)

var kindNames = map[Kind]string{
	KindEmail: "email", KindPhone: "phone", KindUserID: "user_id",
	KindUsername: "username", KindPseudonym: "pseudonym",
	KindEmailSHA256: "email_sha256", KindEmailMD5: "email_md5", KindPhoneSHA256: "phone_sha256",
}

func (k Kind) String() string { return kindNames[k] }

// LookupKind finds a kind by its name.
func LookupKind(name string) (Kind, bool) {
	for k, n := range kindNames {
		if n == name {
			return k, true
		}
	}
	return 0, false
}

// KindOf says which kind of identifier a category is, if it identifies at all.
func KindOf(c Category) (Kind, bool) {
	switch c {
	case Email:
		return KindEmail, true
	case Phone:
		return KindPhone, true
	case UserID:
		return KindUserID, true
	case Username:
		return KindUsername, true
	case Pseudonym:
		return KindPseudonym, true
	default:
		return 0, false
	}
}

// Identifier names a person outside the ledger. Value is canonical: two
// spellings of one address give the same Value. It is personal data: it never
// reaches the data directory except as a keyed hash or sealed.
type Identifier struct {
	Kind  Kind
	Value string
	// Vendor scopes a pseudonym to the vendor that issued it; empty otherwise.
	Vendor VendorID
}

// String never prints the value, so that a stray log line holds no name.
func (i Identifier) String() string { return i.Kind.String() + ":…" }

// phoneSchemes are what may stand before a number and a colon.
var phoneSchemes = []string{"tel", "sms", "whatsapp", "rcs"}

// oneSpelling makes one of the spellings of an address that is not ASCII: the
// local part composed (NFC), the domain as it stands in the DNS (IDNA, RFC 5891),
// which is how mail servers and most vendors write it.
func oneSpelling(address string) string {
	if strings.IndexFunc(address, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return address
	}
	at := strings.LastIndexByte(address, '@')
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		domain = address[at+1:]
	}
	return norm.NFC.String(address[:at]) + "@" + domain
}

// ErrNotIdentifier says that a value cannot be what its kind claims.
var ErrNotIdentifier = errors.New("not an identifier of this kind")

// Canonical makes the identifier that raw stands for.
//
// E-mail: trimmed, an optional display name and angle brackets removed, the
// whole address lower-cased (RFC 5321 lets a host treat the local part as case
// sensitive; none that matters does, and two people would be made of one).
// Phone: digits with a leading plus, also behind tel: (RFC 3966) or the channel
// that messaging APIs write before it (whatsapp:); a national form without
// country stays digits only and matches the same digits. The others: trimmed, as
// they are.
func Canonical(kind Kind, raw string) (Identifier, error) {
	v := strings.TrimSpace(raw)
	if v == "" || len(v) > 1024 || !utf8.ValidString(v) {
		return Identifier{}, ErrNotIdentifier
	}
	switch kind {
	case KindEmail:
		if open := strings.LastIndexByte(v, '<'); open >= 0 && strings.HasSuffix(v, ">") {
			v = v[open+1 : len(v)-1]
		}
		if len(v) > len("mailto:") && strings.EqualFold(v[:len("mailto:")], "mailto:") {
			v = v[len("mailto:"):]
		}
		at := strings.LastIndexByte(v, '@')
		if at <= 0 || at == len(v)-1 || strings.ContainsAny(v, " \t\r\n,;") {
			return Identifier{}, ErrNotIdentifier
		}
		return Identifier{Kind: kind, Value: oneSpelling(strings.ToLower(v))}, nil
	case KindPhone:
		if at := strings.IndexByte(v, ':'); at >= 0 && slices.Contains(phoneSchemes, strings.ToLower(v[:at])) {
			v = v[at+1:]
		}
		if strings.HasPrefix(v, "+") || strings.HasPrefix(v, "00") { // "+49 (0)30": dialled from abroad without it
			v = strings.Replace(v, "(0)", "", 1)
		}
		var b strings.Builder
		for i, r := range v {
			switch {
			case r >= '0' && r <= '9':
				b.WriteRune(r)
			case r == '+' && i == 0:
				b.WriteByte('+')
			case strings.ContainsRune(" -.()/\u00a0", r):
			default:
				return Identifier{}, ErrNotIdentifier
			}
		}
		v = b.String()
		if rest, ok := strings.CutPrefix(v, "00"); ok { // the international prefix of most countries
			v = "+" + rest
		}
		if n := len(strings.TrimPrefix(v, "+")); n < 5 || n > 15 { // E.164: at most 15 digits
			return Identifier{}, ErrNotIdentifier
		}
		return Identifier{Kind: kind, Value: v}, nil
	case KindUserID, KindUsername, KindPseudonym:
		// Looked at only where it may be one: the error of ParseAddr costs an allocation.
		if kind == KindUsername && strings.ContainsAny(v, ".:") {
			if _, err := netip.ParseAddr(v); err == nil {
				return Identifier{}, ErrNotIdentifier
			}
		}
		return Identifier{Kind: kind, Value: v}, nil
	case KindEmailSHA256, KindEmailMD5, KindPhoneSHA256:
		if v = strings.ToLower(v); !isHex(v) || len(v) != hexLength(kind) {
			return Identifier{}, ErrNotIdentifier
		}
		return Identifier{Kind: kind, Value: v}, nil
	default:
		return Identifier{}, ErrNotIdentifier
	}
}
