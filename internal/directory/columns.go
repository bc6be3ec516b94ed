package directory

import "strings"

// column is one that Cordon reads.
type column int

const (
	columnID column = iota
	columnEmail
	columnPhone
	columnName // known, and not kept: nothing needs it
	columnCountry
	columnState
	columnLanguage
	columnBirthDate
	columnUsername
	columns
	columnNone column = -1
)

var columnNames = [columns]string{"id", "email", "phone", "name", "country", "state", "language", "birth_date", "username"}

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
	return columnNone, false
}
