package directory

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"cordon/internal/exposure"
)

// phone gives every spelling by which a message may name the number: those of
// spellings, and E.164 without its plus, as many vendors want it.
func phone(text, country string) ([]exposure.Identifier, error) {
	ids, err := spellings(text, country)
	for _, id := range slices.Clone(ids) {
		digits, international := strings.CutPrefix(id.Value, "+")
		if bare := (exposure.Identifier{Kind: id.Kind, Value: digits}); international && !slices.Contains(ids, bare) {
			ids = append(ids, bare)
		}
	}
	return ids, err
}

// spellings gives the number in E.164, and where the directory gives the country, the national form with its trunk
// prefix, which is what people of that country write. Two countries may share
// a national spelling; the ledger keeps the first person who has it.
//
// phonenumbers only spells: a number that its tables do not know (new ranges,
// invented ones) is kept as it is written, since refusing it would make a
// stranger of somebody.
func spellings(text, country string) ([]exposure.Identifier, error) {
	written, err := exposure.Canonical(exposure.KindPhone, text)
	if err != nil {
		return nil, problem("the phone is not a phone number")
	}
	ids := []exposure.Identifier{written}
	if country == "" {
		return ids, nil
	}
	number, home := inland(written.Value, country)
	plain := home // is E.164 already
	if !home {
		if number, err = phonenumbers.Parse(written.Value, country); err != nil || !phonenumbers.IsPossibleNumber(number) {
			return ids, nil
		}
		home = int(number.GetCountryCode()) == phonenumbers.GetCountryCodeForRegion(country)
	}
	add := func(format phonenumbers.PhoneNumberFormat) {
		id, err := exposure.Canonical(exposure.KindPhone, phonenumbers.Format(number, format))
		if err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if !plain {
		add(phonenumbers.E164)
	}
	// A foreign number has no national form where this person lives.
	if home {
		add(phonenumbers.NATIONAL)
	}
	return ids, nil
}

// inland takes apart what is already E.164 and of that country: most of a
// directory, at a fifth of what parsing costs. "+49 (0)30 …" is not, and
// neither is anything that begins with the trunk prefix.
func inland(value, country string) (number *phonenumbers.PhoneNumber, home bool) {
	code := phonenumbers.GetCountryCodeForRegion(country)
	national, ok := strings.CutPrefix(value, "+"+strconv.Itoa(code))
	trunk := phonenumbers.GetNddPrefixForRegion(country, true)
	if !ok || code == 0 || trunk == "" || strings.HasPrefix(national, trunk) || strings.HasPrefix(national, "0") {
		return nil, false
	}
	n, err := strconv.ParseUint(national, 10, 64)
	if err != nil {
		return nil, false
	}
	c := int32(code)
	number = &phonenumbers.PhoneNumber{CountryCode: &c, NationalNumber: &n}
	return number, phonenumbers.IsPossibleNumber(number)
}
