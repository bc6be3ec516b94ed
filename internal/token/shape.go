package token

import (
	"strings"

	"cordon/internal/exposure"
)

// shape is what a token looks like.
type shape uint8

const (
	shapeCore    shape = iota // letters and the digits 2 to 7
	shapeEmail                // a mailbox on the organisation's own subdomain
	shapeName                 // two words
	shapeWord                 // one word
	shapeUUID                 // 8-4-4-4-12
	shapeHex                  // hexadecimal digits
	shapeDigits               // a number below 2^53
	shapePhone                // +1 and a number that is nobody's
	shapeDialled              // the same without the plus sign
)

// trait is what matters of a category here; looked up, as every token needs it.
type trait struct {
	// kind names the key. It is the category's, but that ids of the organisation
	// and of the vendor are one space: Mixpanel's distinct_id is either, before
	// and after a person is identified.
	kind exposure.Category
	// refused: what looks like a card or an account may be somebody's, and a
	// payment would be tried with it.
	refused bool
	name    bool
	// id: its digits are a number to the vendor and not, say, a postal code.
	id bool
}

var traits = func() []trait {
	var list []trait
	for _, c := range exposure.Categories() { // in the order of their numbers
		_, id := exposure.KindOf(c)
		t := trait{
			kind:    c,
			refused: c.Within(exposure.CreditCard) || c.Within(exposure.BankAccount),
			name:    c.Within(exposure.Name),
			id:      id || c == exposure.DeviceID,
		}
		if c.Within(exposure.UserID) {
			t.kind = exposure.UserID
		}
		list = append(list, t)
	}
	return list
}()

// normalise says which value the function is computed over, the kind that names
// its key, and which shape the token has. The value is "" when there is no
// token for it.
func normalise(c exposure.Category, value string, bare bool) (string, exposure.Category, shape) {
	value = strings.TrimSpace(value)
	of := &traits[c]
	switch {
	case value == "" || bare && !number(value):
		return "", of.kind, shapeCore
	case c == exposure.Email:
		if plainAddress(value) {
			return value, of.kind, shapeEmail
		}
		if id, err := exposure.Canonical(exposure.KindEmail, value); err == nil {
			return id.Value, of.kind, shapeEmail
		}
		if _, hashed := exposure.HashedKind(c, value); hashed {
			return value, of.kind, shapeHex
		}
		return strings.ToLower(value), of.kind, shapeEmail // a list, or no address at all
	case c == exposure.Phone:
		if _, hashed := exposure.HashedKind(c, value); hashed {
			return value, of.kind, shapeHex
		}
		if n := len(value); n < 6 || n > 16 || value[0] != '+' || !all(value[1:], isDigit) {
			if id, err := exposure.Canonical(exposure.KindPhone, value); err == nil {
				value = id.Value
			}
		}
		if bare || all(value, isDigit) {
			return value, of.kind, shapeDialled
		}
		return value, of.kind, shapePhone
	case bare:
		return value, of.kind, shapeDigits
	case of.name:
		switch {
		case exposure.Digest(value):
			return value, of.kind, shapeHex
		case c == exposure.Name:
			return value, of.kind, shapeName
		default:
			return value, of.kind, shapeWord
		}
	}
	switch {
	case of.id && strings.IndexByte(value, '@') > 0:
		// An address where an id belongs: the same token as of the address.
		if id, err := exposure.Canonical(exposure.KindEmail, value); err == nil {
			return id.Value, exposure.Email, shapeEmail
		}
	case isUUID(value):
		return value, of.kind, shapeUUID
	case of.id && all(value, isDigit):
		return value, of.kind, shapeDigits
	case len(value) >= shortestHex && all(value, isHex):
		return value, of.kind, shapeHex
	}
	return value, of.kind, shapeCore
}

// plainAddress reports whether exposure.Canonical would leave an address as it
// is: most are in small letters, and looked at once.
func plainAddress(v string) bool {
	at := 0
	for i := range len(v) {
		switch c := v[i]; {
		case 'a' <= c && c <= 'z', isDigit(c), c == '.', c == '-', c == '_', c == '+':
		case c == '@' && at == 0 && i > 0:
			at = i
		default:
			return false
		}
	}
	return at > 0 && at < len(v)-1
}

// number reports whether a bare value is a number, not true, false or null.
func number(v string) bool { return v[0] == '-' || isDigit(v[0]) }

func isUUID(v string) bool {
	return len(v) == 36 && v[8] == '-' && v[13] == '-' && v[18] == '-' && v[23] == '-' &&
		all(v[:8], isHex) && all(v[9:13], isHex) && all(v[14:18], isHex) && all(v[19:23], isHex) && all(v[24:], isHex)
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
func upper(v string) bool {
	for i := range len(v) {
		if classes[v[i]]&classUpper != 0 {
			return true
		}
	}
	return false
}
