package token

import (
	"strings"

	"cordon/internal/exposure"
)

// shape is what a token looks like.
type shape uint8

const (
	shapeCore   shape = iota // letters and the digits 2 to 7
	shapeEmail               // a mailbox on the organisation's own subdomain
	shapeName                // two words
	shapeWord                // one word
	shapeUUID                // 8-4-4-4-12
	shapeHex                 // hexadecimal digits
	shapeDigits              // a number below 2^53
	shapePhone               // +1 and a number that is nobody's
)

// normalise says which value the function is computed over, with which key, and
// which shape the token has. The value is "" when there is no token for it.
//
// The kind is the category, but for two cases in which one vendor must know one
// person by one token: an address where an id belongs is that address, and ids
// of the organisation and of the vendor are one space (Mixpanel's distinct_id
// is either, before and after a person is identified).
func normalise(c exposure.Category, value string, bare bool) (string, string, shape) {
	value = strings.TrimSpace(value)
	kind := c.Key()
	switch {
	case value == "" || bare && !number(value):
		return "", kind, shapeCore
	case c == exposure.Email:
		if id, err := exposure.Canonical(exposure.KindEmail, value); err == nil {
			return id.Value, kind, shapeEmail
		}
		if _, hashed := exposure.HashedKind(c, value); hashed {
			return value, kind, shapeHex
		}
		return strings.ToLower(value), kind, shapeEmail // a list, or no address at all
	case c == exposure.Phone:
		if _, hashed := exposure.HashedKind(c, value); hashed {
			return value, kind, shapeHex
		}
		if id, err := exposure.Canonical(exposure.KindPhone, value); err == nil {
			value = id.Value
		}
		return value, kind, shapePhone
	case bare:
		return value, idKind(c, kind), shapeDigits
	case c.Within(exposure.Name):
		switch {
		case exposure.Digest(value):
			return value, kind, shapeHex
		case c == exposure.Name:
			return value, kind, shapeName
		default:
			return value, kind, shapeWord
		}
	}
	kind = idKind(c, kind)
	switch {
	case identifies(c) && strings.IndexByte(value, '@') > 0:
		if id, err := exposure.Canonical(exposure.KindEmail, value); err == nil {
			return id.Value, exposure.Email.Key(), shapeEmail
		}
	case isUUID(value):
		return value, kind, shapeUUID
	case identifies(c) && all(value, isDigit):
		return value, kind, shapeDigits
	case len(value) >= shortestHex && all(value, isHex):
		return value, kind, shapeHex
	}
	return value, kind, shapeCore
}

func idKind(c exposure.Category, kind string) string {
	if c.Within(exposure.UserID) {
		return exposure.UserID.Key()
	}
	return kind
}

// identifies reports whether values of a category are ids, whose digits are
// numbers to the vendor and not, say, a postal code.
func identifies(c exposure.Category) bool {
	_, ok := exposure.KindOf(c)
	return ok || c == exposure.DeviceID
}

// number reports whether a bare value is a number, not true, false or null.
func number(v string) bool { return v[0] == '-' || isDigit(v[0]) }

func isUUID(v string) bool {
	if len(v) != 36 {
		return false
	}
	for i := range len(v) {
		if hyphen := i == 8 || i == 13 || i == 18 || i == 23; hyphen != (v[i] == '-') || !hyphen && !isHex(v[i]) {
			return false
		}
	}
	return true
}

func all(v string, is func(byte) bool) bool {
	for i := range len(v) {
		if !is(v[i]) {
			return false
		}
	}
	return true
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isHex(b byte) bool { return classes[b]&classHex != 0 }

// upper reports whether a hexadecimal value is written in capitals.
func upper(v string) bool { return v != strings.ToLower(v) }
