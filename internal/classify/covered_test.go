package classify

import (
	"testing"

	"cordon/internal/exposure"
)

// A mapping of all keys says what the values are about; which values an app
// puts there it cannot know.
func TestWhatAMappingOnlyCoversIsSearched(t *testing.T) {
	for name, fields := range map[string]string{
		"any key":   `{userId: user.unique_id, "properties.*": user.telemetry, plan: user.account.type}`,
		"container": `{userId: user.unique_id, properties: user.telemetry, plan: user.account.type}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := read(t, "  - on: POST /track\n    fields: "+fields+"\n", &Message{Method: "POST", Path: "/track",
				Header: map[string][]string{"Content-Type": {"application/json"}},
				Body:   []byte(`{"userId":"u1","plan":"DE89370400440532013000","properties":{"note":"iban DE89370400440532013000","list":["ask carol@else.example"],"price":12}}`)})
			found := map[exposure.Category]int{}
			for _, at := range f.Fields() {
				if _, derived := at.Derived(); derived {
					found[at.Category]++
				}
			}
			if found[exposure.BankAccount] != 1 || found[exposure.Email] != 1 {
				t.Errorf("found %v; want the account in the note, the address in the list, and nothing in what is named", found)
			}
		})
	}
}
