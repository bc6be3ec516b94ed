package directory

import (
	"strings"

	"cordon/internal/exposure"
)

// Phones gives every spelling of a number as an import gives them, for whoever
// reads a list of people that is no directory. country may be "".
func Phones(text, country string) ([]exposure.Identifier, error) {
	return phone(text, strings.ToUpper(strings.TrimSpace(country)))
}
