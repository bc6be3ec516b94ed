package vault

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// redacted stands wherever a secret would have been printed.
const redacted = "[secret]"

// Secret is a value that must not be printed, logged, encoded or compared
// carelessly. Its zero value is no secret at all. Only Reveal gives it away,
// so that every place that does is found by searching for the word.
type Secret struct{ value *string } // a pointer: %v of a struct that holds one prints an address at worst

// NewSecret keeps a copy of value.
func NewSecret(value []byte) Secret { s := string(value); return Secret{&s} }

// Reveal is the value itself.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil || *s.value == "" }

// Equal compares in constant time. No secret equals nothing.
func (s Secret) Equal(other string) bool {
	return !s.IsZero() && subtle.ConstantTimeCompare([]byte(*s.value), []byte(other)) == 1
}

func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) Format(f fmt.State, _ rune)   { fmt.Fprint(f, redacted) }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Secret) MarshalYAML() (any, error)    { return redacted, nil }

// Key is 32 bytes of key material. It can be assigned to a [32]byte, and
// prints, logs and encodes as "[secret]".
type Key [32]byte

func (Key) String() string               { return redacted }
func (Key) GoString() string             { return redacted }
func (Key) Format(f fmt.State, _ rune)   { fmt.Fprint(f, redacted) }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Key) MarshalYAML() (any, error)    { return redacted, nil }
