package detect_test

import (
	"testing"

	"github.com/nyaruka/phonenumbers"

	"cordon/internal/detect"
)

// libphonenumber is not asked on the way of a message, but it knows better: of
// every region its examples must be found, in the forms in which it writes them.
func TestExamplesOfEveryRegionAreFound(t *testing.T) {
	for region := range phonenumbers.GetSupportedRegions() {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE} {
			n := phonenumbers.GetExampleNumberForType(region, kind)
			if n == nil {
				continue
			}
			texts := []string{phonenumbers.Format(n, phonenumbers.E164), phonenumbers.Format(n, phonenumbers.INTERNATIONAL)}
			if digits := phonenumbers.GetNationalSignificantNumber(n); len(digits) >= 7 { // shorter ones are not told from others
				texts = append(texts, "Phone: "+phonenumbers.Format(n, phonenumbers.NATIONAL), "Phone: "+digits)
			}
			for _, text := range texts {
				hits := detect.Append(nil, text, detect.Context{})
				if len(hits) != 1 || hits[0].Kind != detect.Phone || int(hits[0].End) != len(text) {
					t.Errorf("%s: %q gave %v", region, text, hits)
				}
			}
		}
	}
}
