package detect

import "cordon/internal/exposure"

// Kind is a kind of value that its shape gives away.
type Kind uint8

const (
	Email Kind = iota + 1
	Phone
	Card
	IBAN
	IPv4
	IPv6
	SSN        // social security number of the United States
	NationalID // any other national number with a checksum
)

var kindNames = [...]string{Email: "email", Phone: "phone", Card: "card", IBAN: "iban", IPv4: "ipv4", IPv6: "ipv6", SSN: "ssn", NationalID: "national_id"}

func (k Kind) String() string { return kindNames[k] }

// Category is the category of personal data that a kind belongs to.
func (k Kind) Category() exposure.Category {
	switch k {
	case Email:
		return exposure.Email
	case Phone:
		return exposure.Phone
	case Card:
		return exposure.CreditCard
	case IBAN:
		return exposure.BankAccount
	case IPv4, IPv6:
		return exposure.IPAddress
	case SSN, NationalID:
		return exposure.NationalID
	default:
		return exposure.Unclassified
	}
}

// Hit is one value found: text[Start:End].
type Hit struct {
	Start, End int32
	Kind       Kind
	// Checked says that a checksum of the value holds, so that it is what it
	// looks like whatever stands around it.
	Checked bool
}

// Context is what is known about a text from outside.
type Context struct {
	// Key holds the names on the way to the value ("customer.billing.tax_id");
	// empty for free text.
	Key string
	// Country (ISO 3166-1, upper case) is whose national forms of telephone
	// numbers are meant where nothing else says so; "" when not known.
	Country string
}
