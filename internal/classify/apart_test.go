package classify

import (
	"testing"

	"cordon/internal/exposure"
	"cordon/internal/vendor"
)

// A payee has a name and an account, nothing that identifies.
const transfer = `{"from":{"email":"ada@example.org"},"email":"ada@example.org","payee":{"name":"Bob","account":"GB33"}}`

func payments(t *testing.T, apart bool) *vendor.Spec {
	t.Helper()
	text := `
vendor: bank
upstream: https://api.bank.example
mapping:
  - {on: POST /transfers, fields: {email: user.contact.email, from.email: user.contact.email}}
  - {on: POST /transfers, subjects: payee, fields: {name: user.name, account: user.financial.bank_account}}
`
	if apart {
		text = text[:len(text)-2] + ", apart: true}\n"
	}
	s, problems := vendor.Parse("bank.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

func TestWhoIsSetApartIsNeverThePersonAround(t *testing.T) {
	for _, apart := range []bool{false, true} {
		spec := payments(t, apart)
		c, err := Compile(spec)
		if err != nil {
			t.Fatal(err)
		}
		m := &Message{Method: "POST", Path: "/transfers", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(transfer)}
		f := c.Classify(spec.Match(m.Method, m.Path), m)
		people := f.People()
		if !apart {
			if len(people) != 1 || len(people[0].Fields) != 4 {
				t.Errorf("without apart: %+v", people)
			}
			continue
		}
		if len(people) != 2 || len(people[0].Fields) != 2 || len(people[1].Identifiers) != 0 || len(people[1].Fields) != 2 {
			t.Errorf("the payee is taken for the payer: %+v", people)
		}
	}
}

func TestWhatIsSaidOfAnUnknownPersonIsNotThoseWhoAreSetApart(t *testing.T) {
	spec, problems := vendor.Parse("bank.yaml", []byte("vendor: bank\nupstream: https://api.bank.example\nmapping:\n"+
		"  - {on: POST /transfers, fields: {ip: user.device.ip_address}}\n"+
		"  - {on: POST /transfers, subjects: payee, apart: true, fields: {email: user.contact.email}}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	m := &Message{Method: "POST", Path: "/transfers", Header: map[string][]string{"Content-Type": {"application/json"}},
		Body: []byte(`{"ip":"203.0.113.9","payee":{"email":"bob@example.org"}}`)}
	f := c.Classify(spec.Match(m.Method, m.Path), m)
	people := f.People()
	if len(people) != 2 || len(people[0].Identifiers) != 1 || len(people[1].Identifiers) != 0 {
		t.Fatalf("%+v", people)
	}
	for i := range people {
		n := 0
		for range f.Of(i) {
			n++
		}
		if n != 1 || f.Sets(func(int) (exposure.Form, bool) { return exposure.Clear, true })[i].Has(exposure.IPAddress, exposure.Clear) != (i == 1) {
			t.Errorf("person %d: %+v", i, people[i])
		}
	}
}

// The same identifiers still make them one, as when somebody pays themself.
func TestWhoIsSetApartMayBeTheSamePerson(t *testing.T) {
	spec, problems := vendor.Parse("bank.yaml", []byte("vendor: bank\nupstream: https://api.bank.example\nmapping:\n"+
		"  - {on: POST /transfers, fields: {email: user.contact.email}}\n"+
		"  - {on: POST /transfers, subjects: payee, apart: true, fields: {email: user.contact.email, name: user.name}}\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c, err := Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	m := &Message{Method: "POST", Path: "/transfers", Header: map[string][]string{"Content-Type": {"application/json"}},
		Body: []byte(`{"email":"ada@example.org","payee":{"email":"ada@example.org","name":"Ada"}}`)}
	f := c.Classify(spec.Match(m.Method, m.Path), m)
	if people := f.People(); len(people) != 1 || len(people[0].Fields) != 3 {
		t.Errorf("%+v", people)
	}
}
