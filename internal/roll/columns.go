package roll

import (
	"strings"

	"cordon/internal/directory"
	"cordon/internal/exposure"
)

// column is one that is read.
type column int

const (
	columnID column = iota
	columnEmail
	columnPhone
	columnUsername
	columnEmailSHA256
	columnEmailMD5
	columnPhoneSHA256
	columnPseudonym
	columnToken
	columnCountry
	columnHeldSince
	columnCategories
	columns
	columnNone column = -1
)

var columnNames = [columns]string{
	"id", "email", "phone", "username", "email_sha256", "email_md5", "phone_sha256", "pseudonym", "token", "country",
	"held_since", "categories",
}

func (c column) String() string { return columnNames[c] }

// columnAliases are what vendors' exports call them.
var columnAliases = map[string]column{
	"user_id": columnID, "userid": columnID, "customer_id": columnID, "external_id": columnID,
	"e_mail": columnEmail, "mail": columnEmail, "email_address": columnEmail, "recipient": columnEmail, "to": columnEmail,
	"phone_number": columnPhone, "mobile": columnPhone, "msisdn": columnPhone,
	"user_name": columnUsername, "login": columnUsername,
	"anonymous_id": columnPseudonym, "vendor_id": columnPseudonym,
}

// identifying reports whether a column names somebody.
func (c column) identifying() bool { return c >= columnID && c <= columnToken }

func columnOf(name string) (column, bool) {
	name = strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
	for i, n := range columnNames {
		if n == name {
			return column(i), true
		}
	}
	c, ok := columnAliases[name]
	return c, ok
}

var columnKinds = map[column]exposure.Kind{
	columnID: exposure.KindUserID, columnEmail: exposure.KindEmail, columnUsername: exposure.KindUsername,
	columnEmailSHA256: exposure.KindEmailSHA256, columnEmailMD5: exposure.KindEmailMD5, columnPhoneSHA256: exposure.KindPhoneSHA256,
	columnPseudonym: exposure.KindPseudonym,
}

// identifiers are the spellings of a column's value. An app, or a vendor, puts
// hashes where addresses belong; they name the person as well.
func (c column) identifiers(value, country string, v exposure.VendorID) ([]exposure.Identifier, error) {
	switch c {
	case columnEmail:
		if kind, ok := exposure.HashedKind(exposure.Email, value); ok {
			return one(exposure.Canonical(kind, value))
		}
	case columnPhone:
		if kind, ok := exposure.HashedKind(exposure.Phone, value); ok {
			return one(exposure.Canonical(kind, value))
		}
		return directory.Phones(value, country)
	}
	id, err := exposure.Canonical(columnKinds[c], value)
	if c == columnPseudonym {
		id.Vendor = v
	}
	return one(id, err)
}

func one(id exposure.Identifier, err error) ([]exposure.Identifier, error) {
	if err != nil {
		return nil, err
	}
	return []exposure.Identifier{id}, nil
}
