package directory

import (
	"strings"

	"cordon/internal/exposure"
)

// column is one that Cordon reads.
type column int

const (
	columnID column = iota
	columnEmail
	columnPhone
	columnName
	columnCountry
	columnState
	columnLanguage
	columnBirthDate
	columnUsername
	columnFirstName
	columnLastName
	columnStreet
	columnAddress
	columnPostalCode
	columnCity
	columns
	columnNone column = -1
)

var columnNames = [columns]string{
	"id", "email", "phone", "name", "country", "state", "language", "birth_date", "username",
	"first_name", "last_name", "street", "address", "postal_code", "city",
}

// columnAliases are other names that exports use.
var columnAliases = map[string]column{
	"given_name": columnFirstName, "family_name": columnLastName, "surname": columnLastName,
	"street_address": columnStreet, "postcode": columnPostalCode, "zip": columnPostalCode, "zip_code": columnPostalCode,
	"town": columnCity,
}

// valueColumns are those whose values a message is searched for, and what each
// is. E-mail addresses are not among them: they are found by their shape.
var valueColumns = []struct {
	column   column
	category exposure.Category
}{
	{columnName, exposure.Name}, {columnFirstName, exposure.FirstName}, {columnLastName, exposure.LastName},
	{columnStreet, exposure.Street}, {columnAddress, exposure.Address}, {columnPostalCode, exposure.PostalCode}, {columnCity, exposure.City},
	{columnBirthDate, exposure.BirthDate}, {columnPhone, exposure.Phone}, {columnUsername, exposure.Username},
}

func (c column) String() string {
	if c == columnNone {
		return ""
	}
	return columnNames[c]
}

// columnOf finds a column by its name, whatever its case and with spaces or
// dashes for the underscore.
func columnOf(name string) (column, bool) {
	name = strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
	for i, n := range columnNames {
		if n == name {
			return column(i), true
		}
	}
	if c, ok := columnAliases[name]; ok {
		return c, true
	}
	return columnNone, false
}
