package minimize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"cordon/internal/classify"
	"cordon/internal/exposure"
)

// masked is what replaces a field. A number or a boolean becomes null: a zero
// or a false would be a statement about the person, and a string would be
// refused by a typed API.
func masked(at *classify.Field) string {
	if at.Bare() {
		return "null"
	}
	return mask(at.Category, at.Value())
}

// hidden stands for whatever a mask hides. Its length is always the same.
const hidden = "***"

// mask hides a value but for what a person needs to tell two records apart on
// sight; nothing of it gives away how long the value was.
//
//	e-mail address   a***@masked.invalid   first letter; RFC 2606 keeps .invalid
//	                                       from ever being somebody's mailbox
//	telephone number ***50                 last two of at least seven digits
//	name             A***                  first letter
//	everything else  ***
func mask(c exposure.Category, value string) string {
	switch {
	case c == exposure.Email:
		if open := strings.LastIndexByte(value, '<'); open >= 0 { // Ada <ada@example.org>
			value = value[open+1:]
		}
		if at := strings.LastIndexByte(value, '@'); at > 0 {
			return initial(strings.ToLower(strings.TrimSpace(value[:at]))) + hidden + "@masked.invalid"
		}
		return hidden + "@masked.invalid"
	case c == exposure.Phone:
		var digits []byte
		for i := 0; i < len(value); i++ {
			if '0' <= value[i] && value[i] <= '9' {
				digits = append(digits, value[i])
			}
		}
		if len(digits) < 7 {
			return hidden
		}
		return hidden + string(digits[len(digits)-2:])
	case c.Within(exposure.Name):
		return initial(strings.TrimSpace(value)) + hidden
	default:
		return hidden
	}
}

// initial is the first letter or digit; nothing when the value is no longer than
// that, as it would then be given away whole, or begins with a sign that might
// break an address in two.
func initial(value string) string {
	r, n := utf8.DecodeRuneInString(value)
	if n == len(value) || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		return ""
	}
	return value[:n]
}
