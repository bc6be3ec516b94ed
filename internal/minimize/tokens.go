package minimize

import (
	"cordon/internal/exposure"
	"cordon/internal/token"
)

// Tokens makes what stands in place of values, for one message to one vendor.
// The same value must give the same token within the message. token.Session
// implements it by keys alone; what knows the table of tokens also resolves
// collisions and pins epochs.
type Tokens interface {
	// Token stands in place of a value; bare is a JSON number. The error is
	// token.ErrRefused or token.ErrUnfit when there can be none.
	Token(c exposure.Category, value string, bare bool) (token.Token, error)
	// Alias is an address that delivers to the one at value.
	Alias(value string) (token.Token, error)
	// Hash is a keyed hash of a value, in hexadecimal digits.
	Hash(c exposure.Category, value string) string
}

// Minted is a token that leaves with a message, and what it stands for. It is
// personal data: the table of tokens seals it.
type Minted struct {
	token.Token
	Category exposure.Category
	Form     exposure.Form // Tokenised or Aliased
	// Value is the clear value as it stood in the message; Normal, of the token,
	// is what the table compares.
	Value string
	// Person is whose value it is, an index into the people of the findings; -1
	// when it is shared by several or nobody is known.
	Person      int
	Identifiers []exposure.Identifier // of that person
}
