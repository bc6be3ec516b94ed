package classify

import (
	"testing"

	"cordon/internal/exposure"
)

// knows is a directory that has these addresses and nothing else about anybody.
type knows map[string]bool

func (knows) Needles(_ []exposure.Identifier, dst []Needle) []Needle { return dst }
func (knows) Hash(string) uint64                                     { return 0 }
func (k knows) Knows(id exposure.Identifier) bool                    { return k[id.Value] }

func TestWhatAMappingCallsNobodysIsACustomersWhereTheDirectoryKnowsThem(t *testing.T) {
	const body = `{"people":[{"to":[{"email":"ada@example.org"}]}],"from":"Bob Stone <bob@example.org>"}`
	f := read(t, mail, message("/mail", "application/json", body))
	f.Search(knows{"bob@example.org": true, "ada@example.org": true})
	expect(t, f, `email=ada@example.org: user.contact.email people[0].to[0].email="ada@example.org"
		email=bob@example.org: user.contact.email from="Bob Stone <bob@example.org>"`)
	if out, err := f.Rewrite([]Edit{{Field: 1, Value: "x"}}); err != nil || string(out.Body) != `{"people":[{"to":[{"email":"ada@example.org"}]}],"from":"x"}` {
		t.Errorf("rewritten to %s, %v", out.Body, err)
	}
	f = read(t, mail, message("/mail", "application/json", body))
	f.Search(knows{"ada@example.org": true})
	expect(t, f, `email=ada@example.org: user.contact.email people[0].to[0].email="ada@example.org"`)
}
