package exposure

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// Category is a kind of personal data. Its number is the position in the table
// of this build and is never stored; the ledger stores Key.
type Category uint8

// maxCategories bounds the table: a Set keeps one bit per category and form.
const maxCategories = 128

// fideslang's categories, unchanged (CC BY 4.0, licence beside the file).
//
//go:embed fideslang/data_categories.csv
var fideslangCategories string

//go:embed fideslang/data_uses.csv
var fideslangUses string

// own holds the keys that fideslang lacks. Added to, never renamed: they are
// stored in ledgers.
var own = []string{
	"opaque",                         // a value that was not read: encrypted, or in a format we do not read
	"unclassified",                   // a leaf that no mapping names
	"user.account.type",              // free, pro, moderator
	"user.contact.social_handle",     // a contact that is neither mail nor phone
	"user.device.push_token",         // delivers to one device
	"user.device.user_agent",         // browser and system
	"user.government_id.tax_id",      // VAT and tax numbers of natural persons
	"user.financial.account_balance", // amounts held
}

// Package variables are initialised by dependency, so a Category below may be
// looked up while the package starts.
var (
	keys     = categoryKeys()
	byKey    = positions(keys)
	purposes = firstColumn(fideslangUses)
)

func categoryKeys() []string {
	list := slices.Clone(own)
	for key := range firstColumn(fideslangCategories) {
		if key == "user" || strings.HasPrefix(key, "user.") {
			list = append(list, key)
		}
	}
	slices.Sort(list)
	if len(list) > maxCategories {
		panic(fmt.Sprintf("exposure: %d categories, a Set holds %d", len(list), maxCategories))
	}
	return list
}

func positions(keys []string) map[string]Category {
	m := make(map[string]Category, len(keys))
	for i, k := range keys {
		m[k] = Category(i)
	}
	return m
}

// firstColumn reads the keys of a fideslang file, whose first line is a header
// and whose keys are never quoted.
func firstColumn(csv string) map[string]bool {
	m := map[string]bool{}
	for i, line := range slices.Collect(strings.Lines(csv)) {
		if key, _, ok := strings.Cut(line, ","); ok && i > 0 && key != "" && !strings.ContainsAny(key, "\" ") {
			m[key] = true
		}
	}
	return m
}

// The categories that code names. Everything else is looked up by key.
var (
	Unclassified = MustCategory("unclassified")
	Name         = MustCategory("user.name")
	Email        = MustCategory("user.contact.email")
	Phone        = MustCategory("user.contact.phone_number")
	UserID       = MustCategory("user.unique_id")
	Pseudonym    = MustCategory("user.unique_id.pseudonymous")
	Username     = MustCategory("user.account.username")
	Text         = MustCategory("user.content.private")
	IPAddress    = MustCategory("user.device.ip_address")
	Opaque       = MustCategory("opaque")
	FirstName    = MustCategory("user.name.first")
	LastName     = MustCategory("user.name.last")
	Address      = MustCategory("user.contact.address")
	Street       = MustCategory("user.contact.address.street")
	PostalCode   = MustCategory("user.contact.address.postal_code")
	City         = MustCategory("user.contact.address.city")
	BirthDate    = MustCategory("user.demographic.date_of_birth")
	CreditCard   = MustCategory("user.financial.credit_card")
	BankAccount  = MustCategory("user.financial.bank_account")
	NationalID   = MustCategory("user.government_id.national_identification_number")
	DeviceID     = MustCategory("user.device.device_id")
	Precise      = MustCategory("user.location.precise")
	Imprecise    = MustCategory("user.location.imprecise")
)

// LookupCategory finds a category by its key.
func LookupCategory(key string) (Category, bool) {
	c, ok := byKey[key]
	return c, ok
}

// MustCategory is LookupCategory for keys written in this program's source.
func MustCategory(key string) Category {
	c, ok := byKey[key]
	if !ok {
		panic("exposure: no category " + key)
	}
	return c
}

// Key is the category's fideslang key, or Cordon's own where fideslang has none.
func (c Category) Key() string { return keys[c] }

func (c Category) String() string { return c.Key() }

// Categories lists every category in the order of their keys.
func Categories() []Category {
	all := make([]Category, len(keys))
	for i := range all {
		all[i] = Category(i)
	}
	return all
}

// CategoryKeys lists every key, sorted; for "did you mean" and for schemas.
func CategoryKeys() []string { return slices.Clone(keys) }

// Within reports whether c is parent or lies below it ("user.name.first" is
// within "user.name").
func (c Category) Within(parent Category) bool {
	k, p := c.Key(), parent.Key()
	return k == p || strings.HasPrefix(k, p+".")
}

// Special reports whether the category belongs to the special categories of
// GDPR article 9(1) or to article 10. fideslang does not say so.
func (c Category) Special() bool {
	for _, p := range []string{
		"user.demographic.race_ethnicity", "user.demographic.religious_belief",
		"user.demographic.political_opinion", "user.demographic.sexual_orientation",
		"user.health_and_medical", "user.biometric", "user.authorization.biometric",
		"user.criminal_history",
	} {
		if k := c.Key(); k == p || strings.HasPrefix(k, p+".") {
			return true
		}
	}
	return false
}

// KnownPurpose reports whether key is one of fideslang's data uses.
func KnownPurpose(key string) bool { return purposes[key] }

// PurposeKeys lists fideslang's data uses, sorted.
func PurposeKeys() []string {
	list := make([]string, 0, len(purposes))
	for k := range purposes {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
