package classify

import (
	"strings"
	"testing"

	"cordon/internal/exposure"
)

// notes is a message about people with texts around them.
const notes = `
  - {on: POST /notes, subjects: 'to[]', fields: {email: user.contact.email, phone: user.contact.phone_number, name: user.name, id: user.unique_id, note: user.content.private}}
  - {on: POST /notes, fields: {text: user.content.private, from: none}}
`

func TestWhatIsFoundInTextsIsThePersonsWhoseItIs(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"an address of the message in the common text": {
			`{"to":[{"email":"ada@example.org"},{"email":"bob@example.org"}],"text":"cc Bob@Example.org"}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" user.content.private text="cc Bob@Example.org"
			 email=bob@example.org: user.contact.email to[1].email="bob@example.org" user.content.private text="cc Bob@Example.org" user.contact.email text="Bob@Example.org"`},
		"an address of the one in the other's note": {
			`{"to":[{"email":"ada@example.org","note":"ask bob@example.org"},{"email":"bob@example.org"}]}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" user.content.private to[0].note="ask bob@example.org"
			 email=bob@example.org: user.contact.email to[0].note="bob@example.org" user.contact.email to[1].email="bob@example.org"`},
		"a stranger's address in running text": {
			`{"to":[{"email":"ada@example.org","note":"write to help@shop.example"}]}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" user.content.private to[0].note="write to help@shop.example"
			 : user.contact.email to[0].note="help@shop.example"`},
		"a stranger's address as a value that nothing names": {
			`{"to":[{"email":"ada@example.org"}],"cc":"eve@example.org","text":"hi"}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" unclassified cc="eve@example.org" user.content.private text="hi"
			 email=eve@example.org: user.contact.email cc="eve@example.org"`},
		"strangers in a list, with names and without": {
			`{"to":[{"email":"ada@example.org"}],"cc":"Eve E <eve@example.org>, bob@example.org","bcc":"not only eve2@example.org"}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" unclassified cc="Eve E <eve@example.org>, bob@example.org" unclassified bcc="not only eve2@example.org"
			 email=eve@example.org: user.contact.email cc="eve@example.org"
			 email=bob@example.org: user.contact.email cc="bob@example.org"
			 : user.contact.email bcc="eve2@example.org"`},
		"the stranger in a text before the value": {
			`{"text":"from eve@example.org","cc":["eve@example.org"]}`,
			`email=eve@example.org: user.contact.email text="eve@example.org" user.contact.email cc[0]="eve@example.org"
			 : user.content.private text="from eve@example.org" unclassified cc[0]="eve@example.org"`},
		"a card in the note about one": {
			`{"to":[{"email":"ada@example.org","note":"card 4111 1111 1111 1111"},{"email":"bob@example.org"}]}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" user.content.private to[0].note="card 4111 1111 1111 1111" user.financial.credit_card to[0].note="4111 1111 1111 1111"
			 email=bob@example.org: user.contact.email to[1].email="bob@example.org"`},
		"a card in a text about two is nobody's": {
			`{"to":[{"email":"ada@example.org"},{"email":"bob@example.org"}],"text":"card 4111 1111 1111 1111"}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" user.content.private text="card 4111 1111 1111 1111"
			 email=bob@example.org: user.contact.email to[1].email="bob@example.org" user.content.private text="card 4111 1111 1111 1111"
			 : user.financial.credit_card text="4111 1111 1111 1111"`},
		"a card in a text about one": {
			`{"to":[{"email":"ada@example.org"}],"text":"card 4111 1111 1111 1111"}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" user.content.private text="card 4111 1111 1111 1111" user.financial.credit_card text="4111 1111 1111 1111"`},
		"a card in a text about nobody": {
			`{"text":"card 4111 1111 1111 1111"}`,
			`: user.content.private text="card 4111 1111 1111 1111" user.financial.credit_card text="4111 1111 1111 1111"`},
		"a number with the country and without": {
			`{"to":[{"phone":"+49 171 2345678"},{"phone":"+44 20 7946 0000"}],"text":"call 0171 2345678"}`,
			`phone=+491712345678: user.contact.phone_number to[0].phone="+49 171 2345678" user.content.private text="call 0171 2345678" user.contact.phone_number text="0171 2345678"
			 phone=+442079460000: user.contact.phone_number to[1].phone="+44 20 7946 0000" user.content.private text="call 0171 2345678"`},
		"two numbers that differ in the country": {
			`{"to":[{"phone":"+49 171 2345678"},{"phone":"+43 171 2345678"}],"text":"call 0171 2345678"}`,
			`phone=+491712345678: user.contact.phone_number to[0].phone="+49 171 2345678" user.content.private text="call 0171 2345678"
			 phone=+431712345678: user.contact.phone_number to[1].phone="+43 171 2345678" user.content.private text="call 0171 2345678"
			 : user.contact.phone_number text="0171 2345678"`},
		"an address in a link": {
			`{"to":[{"email":"ada@example.org"}],"text":"https://x.example/u?e=ada%40example.org&t=1"}`,
			`email=ada@example.org: user.contact.email to[0].email="ada@example.org" user.content.private text="https://x.example/u?e=ada%40example.org&t=1" user.contact.email text="ada%40example.org"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := read(t, notes, message("/notes", "application/json", c.body))
			expect(t, f, strings.ReplaceAll(c.want, "\t\t\t ", ""))
		})
	}
}

func TestAnAddressAndItsHashAreOnePerson(t *testing.T) {
	const sum = "cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d" // of ada@example.org
	f := read(t, notes, message("/notes", "application/json", `{"to":[{"email":"ada@example.org","id":"1"},{"email":"`+strings.ToUpper(sum)+`","note":"ada@example.org"},{"email":"bob@example.org"}]}`))
	if n := len(f.People()); n != 2 {
		t.Errorf("%d people: %s", n, show(f))
	}
	for i, at := range f.Fields() {
		if want := len(at.Value()) == 64; at.Hashed() != want {
			t.Errorf("field %d %q hashed: %v", i, at.Value(), at.Hashed())
		}
	}
	f = read(t, notes, message("/notes", "application/json", `{"to":[{"phone":"`+sum+`"},{"name":"`+sum+`","id":"`+sum+`"}]}`))
	if p := f.People(); len(p) != 2 || p[0].Identifiers[0].Kind != exposure.KindPhoneSHA256 || p[1].Identifiers[0].Kind != exposure.KindUserID {
		t.Errorf("found %s", show(f))
	}
	if at := f.Fields(); !at[1].Hashed() || at[2].Hashed() {
		t.Errorf("the name is hashed: %v, the id: %v", at[1].Hashed(), at[2].Hashed())
	}
}

func TestAnAddressInAnotherIdentifiersPlace(t *testing.T) {
	f := read(t, notes, message("/notes", "application/json", `{"to":[{"phone":"ada@example.org"},{"id":"bob@example.org"},{"id":"eve@example.org","email":"eve@example.com"},{"email":"bob@example.org","name":"Bob"}]}`))
	expect(t, f, `email=ada@example.org: user.contact.email to[0].phone="ada@example.org"
	user_id=bob@example.org email=bob@example.org: user.unique_id to[1].id="bob@example.org" user.contact.email to[3].email="bob@example.org" user.name to[3].name="Bob"
	user_id=eve@example.org email=eve@example.org email=eve@example.com: user.unique_id to[2].id="eve@example.org" user.contact.email to[2].email="eve@example.com"`)
	f = read(t, notes, message("/notes", "application/json", `{"to":[{"id":" bob@example.org"}]}`))
	expect(t, f, `user_id=bob@example.org email=bob@example.org: user.unique_id to[0].id=" bob@example.org" user.contact.email to[0].id="bob@example.org"`)
	if host, ok := f.Fields()[1].Derived(); !ok || host != 0 {
		t.Errorf("derived from %d: %v", host, ok)
	}
	if out, err := f.Rewrite([]Edit{{Field: 1, Value: "***"}}); err != nil || string(out.Body) != `{"to":[{"id":" ***"}]}` {
		t.Errorf("rewritten to %s, %v", out.Body, err)
	}
}

func TestWhatIsFoundSaysWhetherItIsProved(t *testing.T) {
	f := read(t, notes, message("/notes", "application/json", `{"text":"card 4111 1111 1111 1111, account DE89 3704 0044 0532 0130 00, from 203.0.113.9, ssn 514-69-0360","n":{"bsn":111222333}}`))
	proved := map[exposure.Category]bool{}
	for _, at := range f.Fields() {
		if _, ok := at.Derived(); ok {
			proved[at.Category] = proved[at.Category] || at.Checked()
		}
	}
	if want := (map[exposure.Category]bool{exposure.CreditCard: true, exposure.BankAccount: true, exposure.IPAddress: false, exposure.NationalID: true}); len(proved) != len(want) || !proved[exposure.CreditCard] || !proved[exposure.BankAccount] || proved[exposure.IPAddress] || !proved[exposure.NationalID] {
		t.Errorf("proved: %v, want %v", proved, want)
	}
}

func TestWhatAMappingNamesIsNotSearched(t *testing.T) {
	f := read(t, notes, message("/notes", "application/json", `{"from":"shop@example.org","to":[{"email":"ada@example.org","name":"Ada <ada@example.org> 4111111111111111"}]}`))
	expect(t, f, `email=ada@example.org: user.contact.email to[0].email="ada@example.org" user.name to[0].name="Ada <ada@example.org> 4111111111111111"`)
}

func TestABodyOfAnUnknownKindIsSearched(t *testing.T) {
	f := read(t, notes, message("/notes", "application/x-unknown", "MAIL ada@example.org AND bob@example.org"))
	found := 0
	for _, at := range f.Fields() {
		if _, ok := at.Derived(); ok {
			found++
		}
	}
	if found != 2 {
		t.Errorf("found %s", show(f))
	}
}
